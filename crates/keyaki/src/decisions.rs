//! The readings of the language that a user asks for.

use std::collections::BTreeMap;

use keyaki_policy::json::{Kind, Value};
use keyaki_policy::{Readings, Switch};

use crate::reader::{Fallible, Reader, pointer};

/// Switches that somebody has decided, each with whether its alternative is to be in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decisions {
    decided: BTreeMap<Switch, bool>,
}

/// Why something is no decision.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecisionError {
    /// There is no such switch.
    #[error("there is no decision `{0}`")]
    UnknownSwitch(String),
    /// The switch has no such reading.
    #[error("`{reading}` is no reading of {}", .switch.name())]
    UnknownReading {
        /// The switch.
        switch: Switch,
        /// What was given.
        reading: String,
    },
    /// It is not of the form `D17=differs`.
    #[error("`{0}` is no decision")]
    Form(String),
}

impl DecisionError {
    /// What would be right.
    pub fn hint(&self) -> String {
        match self {
            DecisionError::UnknownSwitch(_) => {
                format!("the decisions are {}", Switch::ALL.map(|(_, name, _)| name).join(", "))
            }
            DecisionError::UnknownReading { switch, .. } => {
                let [default, alternative] = switch.readings();
                format!("its readings are `{default}`, the default, and `{alternative}`")
            }
            DecisionError::Form(_) => "write one as `D17=differs`".to_owned(),
        }
    }
}

impl Decisions {
    /// Decides a switch; the last word on it counts.
    ///
    /// # Errors
    ///
    /// An unknown name of a switch or reading.
    pub fn decide(&mut self, name: &str, reading: &str) -> Result<(), DecisionError> {
        let switch =
            Switch::by_name(name).ok_or_else(|| DecisionError::UnknownSwitch(name.to_owned()))?;
        let position = switch.readings().iter().position(|known| *known == reading);
        let Some(position) = position else {
            return Err(DecisionError::UnknownReading { switch, reading: reading.to_owned() });
        };
        self.decided.insert(switch, position == 1);
        Ok(())
    }

    /// Decides what a text such as `D17=differs` says.
    ///
    /// # Errors
    ///
    /// Another form, or an unknown name.
    pub fn decide_text(&mut self, text: &str) -> Result<(), DecisionError> {
        let (name, reading) =
            text.split_once('=').ok_or_else(|| DecisionError::Form(text.to_owned()))?;
        self.decide(name, reading)
    }

    /// The switches that are decided, with whether their alternatives are to be in force.
    pub fn decided(&self) -> &BTreeMap<Switch, bool> {
        &self.decided
    }

    /// What is decided, and the defaults of all other switches.
    pub fn readings(&self) -> Readings {
        let decided = self.decided.iter();
        decided.fold(Readings::DEFAULT, |readings, (switch, alternative)| {
            readings.with(*switch, *alternative)
        })
    }
}

impl Reader<'_> {
    /// A map from the names of switches to the readings wanted.
    pub(crate) fn decisions(&self, value: &Value<'_>, path: &str) -> Fallible<Decisions> {
        let Kind::Object(members) = &value.kind else {
            let message = "`decisions` is an object such as `{\"D17\": \"differs\"}`";
            return Err(self.wrong(value, path, message));
        };
        let mut decisions = Decisions::default();
        for member in members {
            let path = pointer(path, &member.key);
            let reading = self.string(&member.value, &path)?;
            decisions.decide(&member.key, reading).map_err(|error| {
                self.wrong_with_hint(&member.value, &path, &error.to_string(), &error.hint())
            })?;
        }
        Ok(decisions)
    }
}
