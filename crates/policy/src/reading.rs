//! The readings of the language between which AWS's documentation does not decide.
//!
//! Each [`Switch`] is a decision (D…) or a relation between keys (R…) of `docs/semantics.md` that
//! could be read in two ways. A question is asked under both readings of every undecided switch,
//! and all policies of one question are read alike (`docs/semantics.md`, "Decisions").

/// A rule with two readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Switch {
    /// What an empty list of values means under an operator without set operator.
    D6,
    /// Whether `{"AWS": "*"}` covers services and identities of providers, as `"*"` does.
    D12,
    /// Whom an entry of `NotPrincipal` exempts.
    D14,
    /// What an ill-typed value of a request does to a negated operator.
    D17,
    /// What a value that is not an ARN matches under an ARN operator.
    D22,
    /// Whether an empty string is a value, for `Null` and for set operators (D25).
    D23,
    /// What `ForAnyValue:…IfExists` says of an absent key.
    D24,
    /// What a list does to a negated operator without set operator.
    D26,
    /// Whether an empty value or the default stands for a variable.
    D28,
    /// What a variable without value spoils.
    D29,
    /// Whether a session policy limits what a resource policy grants to `*` or to the session.
    D30,
    /// `aws:SourceAccount` and its relatives come with direct calls of services only.
    R9,
    /// The owner of a resource is whatever its ARN's account field names, also where that is not
    /// twelve digits; access points of S3 and `kafka:vpc-connection` aside.
    R25,
    /// A tag in the request is among `aws:TagKeys`.
    R29,
    /// The name of a service is among `aws:PrincipalServiceNamesList`.
    R8,
    /// `aws:UserAgent` is always present.
    R19,
    /// `aws:SourceOrgID` and `aws:SourceOrgPaths` come together, and with `aws:SourceAccount`.
    R10,
    /// The account that `aws:SourceArn` names is `aws:SourceAccount`.
    R11,
    /// A request through a VPC endpoint has all three of `aws:SourceVpc`, `aws:SourceVpce` and
    /// `aws:VpcSourceIp`.
    R12,
    /// A request that comes neither through a VPC endpoint nor from or through a service has
    /// `aws:SourceIp`.
    R13,
    /// A call on somebody's behalf is of a user, role session, federated user or root, and not
    /// through a VPC endpoint.
    R18,
    /// `aws:MultiFactorAuthAge` comes with `aws:MultiFactorAuthPresent` true, and that with a
    /// token.
    R22,
    /// The keys of an EC2 instance's role session come together.
    R23,
    /// `kms:ViaService` comes with `aws:ViaAWSService` true.
    R31,
    /// `aws:SourceIp` is a public address.
    R35,
    /// How the addresses are counted that a policy lets in.
    D32,
    /// An action of the service reference is asked for of resources of its types only.
    R36,
}

/// Which reading of each switch is in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Readings {
    /// One bit for each switch, by its position: set if the alternative is in force.
    alternatives: u32,
}

impl Switch {
    /// All switches with the names of their readings, the default first.
    pub const ALL: [(Switch, &'static str, [&'static str; 2]); 27] = {
        use Switch::*;
        const SOFT: [&str; 2] = ["holds", "may-fail"];
        const OPTION: [&str; 2] = ["may-fail", "holds"];
        [
            (D6, "D6", ["nothing-matches", "no-test"]),
            (D12, "D12", ["everyone", "aws-principals"]),
            (D14, "D14", ["any-entry", "whole-chain"]),
            (D17, "D17", ["fails", "differs"]),
            (D22, "D22", ["no-match", "text"]),
            (D23, "D23", ["value", "null"]),
            (D24, "D24", ["false", "true"]),
            (D26, "D26", ["fails", "differs"]),
            (D28, "D28", ["empty", "default"]),
            (D29, "D29", ["value", "statement"]),
            (D30, "D30", ["spared", "limited"]),
            (R9, "R9", SOFT),
            (R25, "R25", SOFT),
            (R29, "R29", SOFT),
            (R8, "R8", SOFT),
            (R19, "R19", SOFT),
            (R10, "R10", OPTION),
            (R11, "R11", OPTION),
            (R12, "R12", OPTION),
            (R13, "R13", OPTION),
            (R18, "R18", OPTION),
            (R22, "R22", OPTION),
            (R23, "R23", OPTION),
            (R31, "R31", OPTION),
            (R35, "R35", OPTION),
            (D32, "D32", ["together", "alone"]),
            (R36, "R36", OPTION),
        ]
    };

    /// The switch's name, such as `D17`.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// The names of the readings, the default first.
    pub fn readings(self) -> [&'static str; 2] {
        Self::ALL[self as usize].2
    }

    /// What AWS's documentation leaves open, as the question that the readings answer.
    pub fn explanation(self) -> &'static str {
        match self {
            Switch::D6 => "whether a plain operator with an empty list of values is a test at all",
            Switch::D12 => {
                "whether `{\"AWS\": \"*\"}` covers services and identities of providers, as `\"*\"` does"
            }
            Switch::D14 => {
                "whether `NotPrincipal` spares a user or session that it lists without its account"
            }
            Switch::D17 => "whether a value that the operator cannot read passes a negated test",
            Switch::D22 => "whether an ARN operator compares a value that is not an ARN as text",
            Switch::D23 => "whether an empty string counts as no value",
            Switch::D24 => "whether `ForAnyValue:…IfExists` holds of an absent key",
            Switch::D26 => "whether a list passes a negated test without set operator",
            Switch::D28 => "whether the default of a variable stands for an empty value",
            Switch::D29 => "whether a variable without value spoils the whole test",
            Switch::D30 => {
                "whether a session policy limits what a resource policy grants to `*` or to the session"
            }
            Switch::R9 => {
                "whether only direct calls of services have `aws:SourceAccount` and its relatives"
            }
            Switch::R25 => "whether every account field of an ARN names the resource's owner",
            Switch::R29 => "whether each tag in a request is among `aws:TagKeys`",
            Switch::R8 => "whether a service's name is among `aws:PrincipalServiceNamesList`",
            Switch::R19 => "whether every request has `aws:UserAgent`",
            Switch::R10 => "whether `aws:SourceOrgID` comes with its paths and `aws:SourceAccount`",
            Switch::R11 => "whether the account in `aws:SourceArn` is `aws:SourceAccount`",
            Switch::R12 => "whether a request through a VPC endpoint has all keys of the endpoint",
            Switch::R13 => {
                "whether a direct request that is through no endpoint has `aws:SourceIp`"
            }
            Switch::R18 => {
                "whether calls on somebody's behalf are of principals of an account only"
            }
            Switch::R22 => "whether the keys of multi-factor authentication come together",
            Switch::R23 => "whether the keys of an EC2 role session come together",
            Switch::R31 => "whether `kms:ViaService` comes with `aws:ViaAWSService`",
            Switch::R35 => "whether `aws:SourceIp` is always a public address",
            Switch::D32 => "whether ranges of addresses are counted together or each alone",
            Switch::R36 => {
                "whether an action is about resources of the types that the service reference gives it only"
            }
        }
    }

    /// The switch of that name.
    pub fn by_name(name: &str) -> Option<Switch> {
        Self::ALL.iter().find(|(_, known, _)| *known == name).map(|(switch, ..)| *switch)
    }

    /// Whether a question is asked under both readings. The other switches have their default
    /// unless somebody wants the alternative: relations that nearly always hold, which are not
    /// assumed.
    pub fn is_undecided(self) -> bool {
        self <= Switch::R19
    }
}

impl Readings {
    /// The defaults of all switches.
    pub const DEFAULT: Readings = Readings { alternatives: 0 };

    /// Whether the alternative of `switch` is in force.
    pub fn is_alternative(self, switch: Switch) -> bool {
        self.alternatives & (1 << switch as u32) != 0
    }

    /// The same readings, but for that of `switch`.
    #[must_use]
    pub fn with(self, switch: Switch, alternative: bool) -> Readings {
        let bit = 1 << switch as u32;
        let cleared = self.alternatives & !bit;
        Readings { alternatives: if alternative { cleared | bit } else { cleared } }
    }

    /// The name of the reading of `switch` that is in force.
    pub fn of(self, switch: Switch) -> &'static str {
        switch.readings()[usize::from(self.is_alternative(switch))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_switches() {
        for (position, (switch, name, readings)) in Switch::ALL.into_iter().enumerate() {
            assert_eq!(switch as usize, position);
            assert_eq!(Switch::by_name(name), Some(switch));
            assert_ne!(readings[0], readings[1]);
            assert!(switch.explanation().starts_with("whether "));
        }
    }

    #[test]
    fn readings_change_one_at_a_time() {
        let readings = Readings::DEFAULT.with(Switch::D17, true).with(Switch::R35, true);
        assert!(readings.is_alternative(Switch::D17));
        assert!(!readings.is_alternative(Switch::D22));
        assert_eq!(readings.of(Switch::R35), "holds");
        assert_eq!(readings.with(Switch::D17, false).of(Switch::D17), "fails");
    }
}
