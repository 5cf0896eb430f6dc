//! The variables of a symbolic request (`docs/encoding.md` has the table).
//!
//! A handful of primary variables; what follows from them (`aws:PrincipalAccount`, `aws:username`)
//! is a constraint on them, never a second variable to be kept in step. Resource and principal
//! share the variable of the partition (R34).

use keyaki_logic::{Sort, Term, Terms};
use keyaki_policy::Switch;
use keyaki_policy::catalogue::{self, Cardinality, KeySort};

/// The kinds of principal, with their numbers in the three bits of `principal.kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// No credentials.
    Anonymous = 0,
    /// The root user of an account.
    Root = 1,
    /// An IAM user.
    User = 2,
    /// A session of a role.
    RoleSession = 3,
    /// A session got by `GetFederationToken`.
    FederatedUser = 4,
    /// An AWS service.
    Service = 5,
    /// An identity of a SAML or OpenID Connect provider.
    Federated = 6,
    /// A principal known by its canonical user id only.
    CanonicalUser = 7,
}

impl Kind {
    /// All kinds, by number.
    pub const ALL: [Kind; 8] = [
        Kind::Anonymous,
        Kind::Root,
        Kind::User,
        Kind::RoleSession,
        Kind::FederatedUser,
        Kind::Service,
        Kind::Federated,
        Kind::CanonicalUser,
    ];

    /// The kinds with credentials of an account: those of which R2–R6 speak.
    pub const IAM: [Kind; 4] = [Kind::Root, Kind::User, Kind::RoleSession, Kind::FederatedUser];
}

/// Names of the variables that are not context keys.
pub mod name {
    #![expect(missing_docs, reason = "the table in docs/encoding.md says what each is")]
    pub const KIND: &str = "principal.kind";
    pub const PARTITION: &str = "partition";
    pub const ACCOUNT: &str = "principal.account";
    pub const PRINCIPAL: &str = "principal.resource";
    pub const NAME: &str = "principal.name";
    pub const USER_ID: &str = "key aws:userid";
    pub const SERVICE: &str = "principal.service";
    pub const PROVIDER: &str = "principal.provider";
    pub const CANONICAL: &str = "principal.canonical";
    pub const ACTION_SERVICE: &str = "action.service";
    pub const ACTION_NAME: &str = "action.name";
    pub const IS_STAR: &str = "resource.is-star";
    pub const RESOURCE_SERVICE: &str = "resource.service";
    pub const RESOURCE_REGION: &str = "resource.region";
    pub const RESOURCE_ACCOUNT: &str = "resource.account";
    pub const RESOURCE_ID: &str = "resource.id";
    pub const OWNER: &str = "resource.owner";
}

/// Name of the Boolean variable that is true if and only if the alternative reading of `switch` is
/// in force. A question in which a switch makes no difference has no such variable.
pub fn switch_variable(switch: Switch) -> String {
    format!("{READING}{}", switch.name())
}

/// The switch of which this is the variable, if it is one.
pub fn switch_of(variable: &str) -> Option<Switch> {
    Switch::by_name(variable.strip_prefix(READING)?)
}

const READING: &str = "reading ";

/// A context key that the question mentions.
#[derive(Clone, Debug)]
pub struct Key {
    /// The key, lower case.
    pub lower: String,
    /// The key as people write it.
    pub spelling: String,
    /// The sort of its values. A key outside the catalogue has strings.
    pub sort: KeySort,
    /// How many values it has; `None` where that is not known.
    pub cardinality: Option<Cardinality>,
    /// Which element of a list this is. The first is number 0, as the value of a single-valued key
    /// is.
    pub slot: usize,
}

impl Key {
    /// What the catalogue says of the key.
    pub fn new(written: &str) -> Key {
        let lower = written.to_ascii_lowercase();
        match catalogue::key(written) {
            Some(info) => Key {
                spelling: info.spell(written),
                lower,
                sort: info.sort,
                cardinality: Some(info.cardinality),
                slot: 0,
            },
            None => {
                let spelling = written.to_owned();
                Key { lower, spelling, sort: KeySort::String, cardinality: None, slot: 0 }
            }
        }
    }

    /// The key with another of its elements.
    pub fn element(&self, slot: usize) -> Key {
        Key { slot, ..self.clone() }
    }

    /// Name of the variable of the value, for strings and Booleans.
    ///
    /// The names of a key's variables begin with different words and end with the key, whatever
    /// characters it has, so no two variables share a name. An element's number is part of the
    /// first word.
    pub fn value(&self) -> String {
        self.variable("key", "")
    }

    /// Name of the variable that says whether the key is present; of an element but the first,
    /// whether the list has it.
    pub fn presence(&self) -> String {
        self.variable("has", "")
    }

    /// Name of the variable that says whether a key of unknown cardinality has a list.
    pub fn list(&self) -> String {
        format!("list {}", self.lower)
    }

    /// Name of the variable of the instant that the value is, for dates. `aws:CurrentTime` and
    /// `aws:EpochTime` share one (R20).
    pub fn instant(&self) -> String {
        match self.lower.as_str() {
            "aws:epochtime" => Key::new("aws:CurrentTime").instant(),
            _ => self.field(instant_field::INSTANT),
        }
    }

    /// Name of the variable of one field of the value, for ARNs and addresses.
    pub fn field(&self, field: &str) -> String {
        self.variable(field, " of")
    }

    /// Name of the variable of the organisation's id, with which every path of an organisation
    /// begins; `None` if the values of the key are no such paths.
    pub fn organisation(&self) -> Option<String> {
        let (_, id) = ORGANISATIONS.iter().find(|(paths, _)| *paths == self.lower)?;
        Some(Key::new(id).value())
    }

    fn variable(&self, word: &str, of: &str) -> String {
        match self.slot {
            0 => format!("{word}{of} {}", self.lower),
            slot => format!("{word}-{slot}{of} {}", self.lower),
        }
    }
}

/// Names of the variables of a date, to be used with [`Key::field`].
pub mod instant_field {
    #![expect(missing_docs, reason = "the table in docs/encoding.md says what each is")]
    pub const INSTANT: &str = "instant";
    pub const IS_DATE: &str = "is-date";
    pub const IS_EMPTY: &str = "is-empty";
}

/// Names of the variables of a number among constants, to be used with [`Key::field`].
pub mod number_field {
    #![expect(missing_docs, reason = "the table in docs/encoding.md says what each is")]
    pub const PLACE: &str = "place";
    pub const IS_NUMBER: &str = "is-number";
}

/// The variable that says whether the key is present of whose value this is a variable, or one of a
/// field of the value; `None` if the variable is of something else.
pub fn presence_of(variable: &str) -> Option<String> {
    let of_field = || Some(variable.split_once(" of ")?.1);
    let key = variable.strip_prefix("key ").or_else(of_field)?;
    Some(format!("has {key}"))
}

/// Keys of which every value is a path in an organisation, with the keys of its id: of principal,
/// resource, VPC endpoint and source.
pub const ORGANISATIONS: [(&str, &str); 4] = [
    ("aws:principalorgpaths", "aws:principalorgid"),
    ("aws:resourceorgpaths", "aws:resourceorgid"),
    ("aws:vpceorgpaths", "aws:vpceorgid"),
    ("aws:sourceorgpaths", "aws:sourceorgid"),
];

/// What stands between the organisation's id and [`ROOT`] in a path (R7).
pub const BEFORE_ROOT: &str = "/r-";

/// Name of the variable of what follows in a path, to be used with [`Key::field`]. It ends in a
/// slash.
pub const ROOT: &str = "root";

/// Names of the three variables of an address, to be used with [`Key::field`].
pub mod address_field {
    #![expect(missing_docs, reason = "the table in docs/encoding.md says what each is")]
    pub const IS_ADDRESS: &str = "is-address";
    pub const IS_V6: &str = "is-v6";
    pub const V4: &str = "v4";
    pub const V6: &str = "v6";
}

/// The fields of an ARN that are variables, in order.
pub const ARN_FIELDS: [&str; 5] = ["partition", "service", "region", "account", "resource"];

/// The primary variables, and shorthands for tests of the kind.
#[derive(Clone, Debug)]
pub(super) struct Symbols {
    kind: Term,
    pub(super) partition: Term,
    pub(super) account: Term,
    pub(super) principal: Term,
    pub(super) user_id: Term,
    pub(super) service: Term,
    pub(super) provider: Term,
    pub(super) canonical: Term,
    pub(super) action_service: Term,
    pub(super) action_name: Term,
    pub(super) is_star: Term,
    pub(super) resource_service: Term,
    pub(super) resource_region: Term,
    pub(super) resource_account: Term,
    pub(super) resource_id: Term,
}

impl Symbols {
    pub(super) fn new(t: &mut Terms) -> Symbols {
        let kind = t.var(name::KIND, Sort::Bits(3));
        let is_star = t.var(name::IS_STAR, Sort::Bool);
        let mut string = |name| t.var(name, Sort::String);
        Symbols {
            kind,
            is_star,
            partition: string(name::PARTITION),
            account: string(name::ACCOUNT),
            principal: string(name::PRINCIPAL),
            user_id: string(name::USER_ID),
            service: string(name::SERVICE),
            provider: string(name::PROVIDER),
            canonical: string(name::CANONICAL),
            action_service: string(name::ACTION_SERVICE),
            action_name: string(name::ACTION_NAME),
            resource_service: string(name::RESOURCE_SERVICE),
            resource_region: string(name::RESOURCE_REGION),
            resource_account: string(name::RESOURCE_ACCOUNT),
            resource_id: string(name::RESOURCE_ID),
        }
    }

    /// True if and only if the principal is of this kind.
    pub(super) fn is(&self, t: &mut Terms, kind: Kind) -> Term {
        let number = t.bits(kind as u128, 3);
        t.eq(self.kind, number)
    }

    /// True if and only if the principal is of one of these kinds.
    pub(super) fn is_one_of(&self, t: &mut Terms, kinds: &[Kind]) -> Term {
        let tests: Vec<Term> = kinds.iter().map(|&kind| self.is(t, kind)).collect();
        t.or(tests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_variables_of_keys_share_a_name() {
        let keys = ["aws:SourceArn", "aws:CurrentTime", "x:a", "x:b", "has x:a", "a of b"];
        let mut names = std::collections::BTreeSet::new();
        for key in keys.map(Key::new) {
            assert!(names.insert(key.list()), "{}", key.list());
            for key in [key.element(0), key.element(1), key.element(2)] {
                for name in [key.value(), key.presence(), key.instant(), key.field("partition")] {
                    assert!(names.insert(name.clone()), "{name}");
                }
            }
        }
    }

    #[test]
    fn each_switch_has_a_variable_of_its_own() {
        for (switch, ..) in Switch::ALL {
            assert_eq!(switch_of(&switch_variable(switch)), Some(switch));
        }
        assert_eq!(switch_of("reading X1"), None);
        assert_eq!(switch_of("D17"), None);
    }
}
