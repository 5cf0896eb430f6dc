//! What one evaluation looks at: the request, how the rules are read, and how much work is left.

use crate::ast::PolicyType;
use crate::reading::{Readings, Switch};
use crate::request::derive::fields;
use crate::request::{ContextValue, Request};
use std::cell::Cell;

/// Bound on the work of one evaluation, in matching steps: the comparison of one character or of
/// two digits, or the reading of 8 bytes. Real policies need
/// thousands. A step takes some 5 ns, so that all of them are over in a fraction of a second.
pub const MAX_MATCHING_STEPS: u64 = 20_000_000;

/// The steps of one evaluation are used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exhausted;

/// The steps that are left.
#[derive(Debug)]
pub(super) struct Budget {
    left: Cell<u64>,
}

/// One request, under one reading of the rules.
#[derive(Debug)]
pub(super) struct Scene<'r> {
    pub(super) request: &'r Request,
    /// The fields of the request's resource, if it is an ARN.
    pub(super) resource_fields: Option<[&'r str; 6]>,
    pub(super) readings: Readings,
    /// Whether the principal has a permissions boundary.
    pub(super) has_boundary: bool,
    pub(super) budget: Budget,
}

impl Exhausted {
    /// The limit, as a construct that an answer hangs on.
    pub(super) fn construct(self) -> String {
        format!("an evaluation of more than {MAX_MATCHING_STEPS} matching steps")
    }
}

impl Budget {
    pub(super) fn new(steps: u64) -> Budget {
        Budget { left: Cell::new(steps) }
    }

    pub(super) fn left(&self) -> u64 {
        self.left.get()
    }

    /// Takes `steps` off what is left. If that is too few, nothing remains.
    pub(super) fn spend(&self, steps: u64) -> Result<(), Exhausted> {
        let left = self.left.get();
        self.left.set(left.saturating_sub(steps));
        if steps <= left { Ok(()) } else { Err(Exhausted) }
    }

    /// Spends what it takes to read a text of that many bytes.
    pub(super) fn read(&self, length: usize) -> Result<(), Exhausted> {
        self.spend(1 + length as u64 / 8)
    }
}

impl<'r> Scene<'r> {
    pub(super) fn new(request: &'r Request, readings: Readings) -> Scene<'r> {
        Scene {
            request,
            resource_fields: fields(&request.resource),
            readings,
            has_boundary: false,
            budget: Budget::new(MAX_MATCHING_STEPS),
        }
    }

    /// The value that stands for a policy variable: of a single-valued key, else the default. None
    /// if the variable is unresolved (4.1, 4.4).
    pub(super) fn variable<'v>(&self, key: &str, default: Option<&'v str>) -> Option<&'v str>
    where
        'r: 'v,
    {
        match self.request.context.get(key) {
            Some(ContextValue::One(value)) if value.is_empty() && default.is_some() => {
                if self.reads(Switch::D28) { default } else { Some(value) }
            }
            Some(ContextValue::One(value)) => Some(value),
            Some(ContextValue::Many(_)) | None => default,
        }
    }

    /// Whether the alternative reading of `switch` is in force.
    pub(super) fn reads(&self, switch: Switch) -> bool {
        self.readings.is_alternative(switch)
    }
}

/// What a resource pattern of too few fields stands for (2.3, D9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ShortArn {
    /// The missing fields are stars.
    Filled,
    /// The same, if there is a star anywhere; else it matches nothing.
    FilledWithStar,
    /// The same, if the last field that is there ends in a star; else it matches nothing.
    FilledAfterStar,
    /// It matches nothing.
    Nothing,
}

impl ShortArn {
    pub(super) fn of(policy_type: PolicyType) -> ShortArn {
        match policy_type {
            PolicyType::Identity | PolicyType::Boundary | PolicyType::Session => ShortArn::Filled,
            PolicyType::Resource
            | PolicyType::Trust
            | PolicyType::Kms
            | PolicyType::VpcEndpoint => ShortArn::FilledWithStar,
            PolicyType::Scp => ShortArn::FilledAfterStar,
            PolicyType::Rcp => ShortArn::Nothing,
        }
    }
}
