//! What is known of condition keys and actions: sort, cardinality, documented spelling.
//!
//! The catalogue is a snapshot of AWS's service reference plus the global keys of iam-semantics 7
//! (the version is [`version`]). It is never complete: an unknown key or action is no error, and
//! no answer may rest on a name being absent here. Sort and cardinality of a key come from here
//! and not from the operator used on it.
//!
//! The data is text with one name a line, sorted by lower-case bytes, and a lookup is a binary
//! search in that text. A map would have to be built from its 700 KiB before the first lookup; a
//! table in Rust syntax would add a pointer and a length for each of its 22,000 names. What goes
//! with an action is found through its profile ([`details`]), which many actions share. The files
//! are written by `cargo xtask catalogue`, which is also the place to correct them.

use std::cmp::Ordering;
use std::sync::LazyLock;

static ACTIONS: &str = without_header(include_str!("catalogue/actions.txt"));
static PROFILES: &str = without_header(include_str!("catalogue/profiles.txt"));
static RESOURCE_TYPES: &str = without_header(include_str!("catalogue/resource_types.txt"));
static SERVICES: &str = without_header(include_str!("catalogue/services.txt"));
static KEYS: &str = without_header(include_str!("catalogue/keys.txt"));
static KEY_TEMPLATES: &str = without_header(KEY_TEMPLATES_FILE);
const KEY_TEMPLATES_FILE: &str = include_str!("catalogue/key_templates.txt");

/// What is known of the condition key `name`, in any case, or none if the key is unknown.
///
/// A key with a variable part is found if that part is not empty: `aws:RequestTag/team` is known,
/// `aws:RequestTag/` and `aws:RequestTag` are not. A key listed as it stands beats a template;
/// among templates the longest fixed prefix wins, then the longest fixed suffix.
///
/// The claims `aud` and `sub` are known of every OIDC issuer (7.7): `HOST/PATH:sub`, where a dot
/// in the host tells an issuer from a service prefix.
pub fn key(name: &str) -> Option<KeyInfo> {
    match line_of(KEYS, name) {
        Some(line) => KeyInfo::from_line(line.split_once(' ')?),
        None => key_from_template(name),
    }
}

/// A condition key that the catalogue knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// The documented spelling. Of a key with a variable part, only what precedes that part
    /// (`aws:RequestTag/`; empty if the variable part comes first): see [`KeyInfo::spell`].
    pub name: &'static str,
    /// What the values of the key are.
    pub sort: KeySort,
    /// How many values the key has in one request.
    pub cardinality: Cardinality,
}

/// What the values of a condition key are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeySort {
    /// Any text.
    String,
    /// The name of a resource or principal, `arn:` and five more fields.
    Arn,
    /// A decimal number.
    Number,
    /// An instant. `aws:EpochTime` has this sort although numeric operators apply to it too (3.6).
    Date,
    /// `true` or `false`.
    Bool,
    /// An IPv4 or IPv6 address.
    Address,
    /// Bytes, written in base64.
    Binary,
}

/// How many values a condition key has in one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cardinality {
    /// At most one.
    Single,
    /// A list.
    Multi,
}

/// The documented spelling of an action given as `service:name` in any case.
pub fn action(name: &str) -> Option<&'static str> {
    line_of(ACTIONS, name).map(name_of)
}

/// Whether the action, given in any case, has resource types. An action that has none applies to
/// `"Resource": "*"` only. None if the action is unknown.
pub fn has_resource_types(action: &str) -> Option<bool> {
    line_of(ACTIONS, action).map(|line| line.split(' ').nth(1) != Some("*"))
}

/// The known actions that begin with `prefix`, in any case, in their documented spelling, sorted
/// by lower-case bytes. The empty prefix gives all of them.
///
/// The first one costs a binary search, every further one a line.
pub fn actions_with_prefix(prefix: &str) -> impl Iterator<Item = &'static str> {
    ACTIONS[first_not_below(ACTIONS, prefix)..]
        .lines()
        .map(name_of)
        .take_while(move |name| starts_with(name, prefix))
}

/// The known condition keys that begin with `prefix`, in any case, but for those with a variable
/// part.
pub fn keys_with_prefix(prefix: &str) -> impl Iterator<Item = &'static str> {
    KEYS[first_not_below(KEYS, prefix)..]
        .lines()
        .map(name_of)
        .take_while(move |name| starts_with(name, prefix))
}

/// What goes with an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionDetails {
    /// The ARNs of the types of its resources, with `*` for what varies; empty if the action has no
    /// resource type and is authorized against `*`.
    pub resources: Vec<&'static str>,
    /// Its condition keys but for global ones, with `*` for what varies: those that it has whatever
    /// the resource, and those of the types of its resources.
    pub keys: Vec<&'static str>,
}

/// What goes with the action `name`, in any case; none if the action is unknown.
pub fn details(name: &str) -> Option<ActionDetails> {
    let line = line_of(ACTIONS, name)?;
    let (service, _) = line.split_once(':')?;
    let number = line.rsplit(' ').next()?;
    let profile = line_of(PROFILES, &format!("{service}:{number}"))?;
    let mut lists = profile.split(' ').skip(1);
    let mut numbers = || {
        let list = lists.next().filter(|list| *list != "-").unwrap_or_default();
        list.split(',').filter_map(|number| number.parse::<usize>().ok())
    };
    let types: Vec<_> = resource_types(service).collect();
    let resources = numbers().filter_map(|number| types.get(number).copied()).collect();
    let all_keys: Vec<_> = keys_of_service(service).collect();
    let keys = numbers().filter_map(|number| all_keys.get(number).copied()).collect();
    Some(ActionDetails { resources, keys })
}

/// The prefix of actions `prefix`, in any case, in lower case; none if no known service has it.
pub fn service(prefix: &str) -> Option<&'static str> {
    line_of(SERVICES, prefix).map(name_of)
}

/// All known prefixes of actions, sorted.
pub fn services() -> impl Iterator<Item = &'static str> {
    SERVICES.lines().map(name_of)
}

/// Whether resource control policies cover the service of that prefix, in any case (5.3).
pub fn is_resource_controlled(prefix: &str) -> bool {
    line_of(SERVICES, prefix).is_some_and(|line| line.split(' ').nth(1) == Some("!"))
}

/// The condition keys of a service's actions, with `*` for what varies; some are global.
pub fn keys_of_service(prefix: &str) -> impl Iterator<Item = &'static str> {
    let line = line_of(SERVICES, prefix).unwrap_or_default();
    line.split(' ').skip(1).filter(|key| *key != "!")
}

/// The ARNs of the types of resources of a service, with `*` for what varies.
pub fn resource_types(prefix: &str) -> impl Iterator<Item = &'static str> {
    let prefix = format!("{prefix}:");
    let lines = RESOURCE_TYPES[first_not_below(RESOURCE_TYPES, &prefix)..].lines();
    lines
        .take_while(move |line| starts_with(line, &prefix))
        .filter_map(|line| line.split_once(' ').map(|(_, arn)| arn))
}

/// The ARNs of all known types of resources, with `*` for what varies. The service in an ARN is not
/// always the one whose actions are about it.
pub fn all_resource_types() -> impl Iterator<Item = &'static str> {
    RESOURCE_TYPES.lines().filter_map(|line| line.split_once(' ').map(|(_, arn)| arn))
}

/// Whether `key`, in any case, is the key `known` of a list with `*` for what varies.
pub fn is_same_key(known: &str, key: &str) -> bool {
    match known.split_once('*') {
        None => known.eq_ignore_ascii_case(key),
        Some((prefix, suffix)) => {
            key.len() > prefix.len() + suffix.len()
                && starts_with(key, prefix)
                && key.as_bytes()[key.len() - suffix.len()..]
                    .eq_ignore_ascii_case(suffix.as_bytes())
        }
    }
}

/// The version and date of the data, as `0.21.202609261 of 2026-09-26`.
pub fn version() -> &'static str {
    KEY_TEMPLATES_FILE.lines().find_map(|line| line.strip_prefix("# version ")).unwrap_or_default()
}

impl KeyInfo {
    /// `written`, a key for which the lookup gave this answer, in the documented spelling. A
    /// variable part and what follows it stay as they are.
    pub fn spell(&self, written: &str) -> String {
        let variable = written.get(self.name.len()..).unwrap_or_default();
        format!("{}{variable}", self.name)
    }

    fn from_line((name, kind): (&'static str, &str)) -> Option<KeyInfo> {
        let (sort, cardinality) = match kind.strip_suffix("[]") {
            Some(sort) => (sort, Cardinality::Multi),
            None => (kind, Cardinality::Single),
        };
        let sort = match sort {
            "string" => KeySort::String,
            "arn" => KeySort::Arn,
            "number" => KeySort::Number,
            "date" => KeySort::Date,
            "bool" => KeySort::Bool,
            "address" => KeySort::Address,
            "binary" => KeySort::Binary,
            _ => return None,
        };
        Some(KeyInfo { name, sort, cardinality })
    }
}

/// There are fewer than 150 templates, and looking at each takes 4 µs; an index would need a table more.
fn key_from_template(key: &str) -> Option<KeyInfo> {
    static TEMPLATES: LazyLock<Vec<(&str, &str, &str)>> = LazyLock::new(|| {
        let template = |line: &'static str| {
            let (template, kind) = line.split_once(' ')?;
            let (prefix, suffix) = template.split_once('*')?;
            Some((prefix, suffix, kind))
        };
        KEY_TEMPLATES.lines().filter_map(template).collect()
    });
    TEMPLATES
        .iter()
        .filter(|(prefix, suffix, _)| fits(key, prefix, suffix))
        .max_by_key(|(prefix, suffix, _)| (prefix.len(), suffix.len()))
        .and_then(|(prefix, _, kind)| KeyInfo::from_line((prefix, kind)))
}

/// Whether `key` is `prefix`, something, `suffix`. Where nothing precedes the something, it must
/// look like an issuer.
fn fits(key: &str, prefix: &str, suffix: &str) -> bool {
    if key.len() <= prefix.len() + suffix.len() || !starts_with(key, prefix) {
        return false;
    }
    let end = &key.as_bytes()[key.len() - suffix.len()..];
    let host = || key.split(['/', ':']).next().unwrap_or_default();
    end.eq_ignore_ascii_case(suffix.as_bytes()) && (!prefix.is_empty() || host().contains('.'))
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.as_bytes()
        .get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}

/// The line of a sorted table whose name is `name`, in any case.
fn line_of(table: &'static str, name: &str) -> Option<&'static str> {
    let line = table[first_not_below(table, name)..].lines().next()?;
    name_of(line).eq_ignore_ascii_case(name).then_some(line)
}

/// Where the first line begins whose name is not below `name`; the end of the table if there is
/// none. Both are compared as lower-case bytes.
fn first_not_below(table: &str, name: &str) -> usize {
    let bytes = table.as_bytes();
    // Both are always the start of a line or the end of the table.
    let (mut low, mut high) = (0, bytes.len());
    let newline = |byte: &u8| *byte == b'\n';
    while low < high {
        let middle = low + (high - low) / 2;
        let start = bytes[low..middle].iter().rposition(newline).map_or(low, |at| low + at + 1);
        if is_below(&bytes[start..], name.as_bytes()) {
            let end = bytes[middle..high].iter().position(newline);
            low = end.map_or(high, |at| middle + at + 1);
        } else {
            high = start;
        }
    }
    low
}

/// Whether the name at the start of these lines is below `name`, both as lower-case bytes.
fn is_below(lines: &[u8], name: &[u8]) -> bool {
    let is_end = |byte: u8| byte == b' ' || byte == b'\n';
    for (i, wanted) in name.iter().enumerate() {
        let Some(&byte) = lines.get(i).filter(|byte| !is_end(**byte)) else { return true };
        match byte.to_ascii_lowercase().cmp(&wanted.to_ascii_lowercase()) {
            Ordering::Less => return true,
            Ordering::Greater => return false,
            Ordering::Equal => {}
        }
    }
    false
}

fn name_of(line: &str) -> &str {
    line.split([' ', '\n']).next().unwrap_or(line)
}

/// The lines of a file after the comment at its top.
const fn without_header(file: &str) -> &str {
    let mut rest = file.as_bytes();
    let mut at = 0;
    while let [b'#', ..] = rest {
        while let [byte, after @ ..] = rest {
            at += 1;
            rest = after;
            if *byte == b'\n' {
                break;
            }
        }
    }
    file.split_at(at).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: &'static str, sort: KeySort, cardinality: Cardinality) {
        assert_eq!(key(name), Some(KeyInfo { name: expected, sort, cardinality }), "{name}");
    }

    #[test]
    fn keys_are_found_in_any_case() {
        for name in ["aws:SourceIp", "AWS:SOURCEIP", "aws:sourceip"] {
            check(name, "aws:SourceIp", KeySort::Address, Cardinality::Single);
        }
    }

    #[test]
    fn global_keys_have_the_sort_of_the_semantics() {
        use {Cardinality::*, KeySort::*};
        for (name, sort, cardinality) in [
            ("aws:CalledVia", String, Multi),
            ("aws:CurrentTime", Date, Single),
            ("aws:EpochTime", Date, Single),
            ("aws:MultiFactorAuthAge", Number, Single),
            ("aws:PrincipalArn", Arn, Single),
            ("aws:PrincipalOrgPaths", String, Multi),
            ("aws:SourceArn", Arn, Single),
            ("aws:SourceVpc", String, Single),
            ("aws:TagKeys", String, Multi),
            ("aws:userid", String, Single),
            ("aws:ViaAWSService", Bool, Single),
            ("aws:VpcSourceIp", Address, Single),
        ] {
            check(name, name, sort, cardinality);
        }
    }

    #[test]
    fn service_keys_have_the_sort_of_the_reference() {
        use {Cardinality::*, KeySort::*};
        for (name, sort, cardinality) in [
            ("dynamodb:LeadingKeys", String, Multi),
            ("ec2:SourceInstanceARN", Arn, Single),
            ("kms:EncryptionContextKeys", String, Multi),
            ("s3:max-keys", Number, Single),
            ("s3:object-lock-retain-until-date", Date, Single),
            ("s3:prefix", String, Single),
        ] {
            check(name, name, sort, cardinality);
        }
    }

    #[test]
    fn a_key_with_a_variable_part_is_known_by_its_prefix() {
        for (name, prefix) in [
            ("aws:requesttag/Team", "aws:RequestTag/"),
            ("aws:PrincipalTag/a/b:c", "aws:PrincipalTag/"),
            ("s3:ExistingObjectTag/x", "s3:ExistingObjectTag/"),
            ("kms:EncryptionContext:name", "kms:EncryptionContext:"),
            ("secretsmanager:ResourceTag/owner", "secretsmanager:ResourceTag/"),
            ("aws:ResourceTag/${aws:username}", "aws:ResourceTag/"),
        ] {
            check(name, prefix, KeySort::String, Cardinality::Single);
        }
    }

    #[test]
    fn a_variable_part_may_be_in_the_middle() {
        check("events:Metadata/a", "events:Metadata/", KeySort::String, Cardinality::Multi);
        check(
            "events:Metadata/a/MATCHER",
            "events:Metadata/",
            KeySort::String,
            Cardinality::Single,
        );
    }

    #[test]
    fn a_tag_key_without_its_tag_is_unknown() {
        for name in
            ["aws:RequestTag", "aws:RequestTag/", "kms:EncryptionContext:", "events:Metadata/"]
        {
            assert_eq!(key(name), None, "{name}");
        }
    }

    #[test]
    fn a_listed_key_beats_a_template() {
        let name = "ssm:resourceTag/aws:ssmmessages:session-id";
        check(name, name, KeySort::String, Cardinality::Single);
    }

    #[test]
    fn aud_and_sub_are_known_of_every_issuer() {
        let name = "oidc.eks.eu-west-1.amazonaws.com/id/ABC:sub";
        check(name, "", KeySort::String, Cardinality::Single);
        check("saml:aud", "saml:aud", KeySort::String, Cardinality::Single);
        for unknown in ["s3:sub", ":sub", "issuer:sub", "host.example:name", "host/a.b:sub"] {
            assert_eq!(key(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn unknown_names_are_none() {
        for name in
            ["", ":", "*", "aws", "aws:", "aws:Source", "aws:SourceIpx", "é:ü", "zzz:z", "#"]
        {
            assert_eq!((key(name), action(name), has_resource_types(name)), (None, None, None));
        }
    }

    #[test]
    fn the_documented_spelling_keeps_the_variable_part() {
        for (written, documented) in [
            ("AWS:requesttag/Team", "aws:RequestTag/Team"),
            ("aws:SOURCEIP", "aws:SourceIp"),
            ("Host.Example/x:Sub", "Host.Example/x:Sub"),
        ] {
            assert_eq!(key(written).map(|key| key.spell(written)).as_deref(), Some(documented));
        }
    }

    #[test]
    fn actions_are_found_in_any_case() {
        for name in ["s3:getobject", "S3:GETOBJECT", "s3:GetObject"] {
            assert_eq!(action(name), Some("s3:GetObject"));
        }
        assert_eq!(action("s3:GetObjec"), None);
        assert_eq!(action("s3:GetObject *"), None);
    }

    #[test]
    fn an_action_knows_whether_it_has_resource_types() {
        assert_eq!(has_resource_types("s3:GetObject"), Some(true));
        assert_eq!(has_resource_types("s3:listallmybuckets"), Some(false));
    }

    #[test]
    fn actions_with_a_prefix_are_those_that_a_scan_finds() {
        for prefix in ["", "s3:get", "S3:Get", "ec2:", "a", "zzz", "s3:GetObject", "é", "xray:"] {
            let scan: Vec<_> =
                ACTIONS.lines().map(name_of).filter(|name| starts_with(name, prefix)).collect();
            assert_eq!(actions_with_prefix(prefix).collect::<Vec<_>>(), scan, "{prefix}");
        }
        assert_eq!(actions_with_prefix("s3:getobjecta").next(), Some("s3:GetObjectAcl"));
    }

    #[test]
    fn every_action_and_key_is_found_by_its_own_name() {
        for name in ACTIONS.lines().map(name_of) {
            assert_eq!(action(&name.to_ascii_uppercase()), Some(name));
        }
        for name in KEYS.lines().map(name_of) {
            assert_eq!(key(&name.to_ascii_uppercase()).map(|key| key.name), Some(name));
        }
        for template in KEY_TEMPLATES.lines().map(name_of) {
            let name = template.replace('*', "a.b");
            assert!(key(&name).is_some(), "{name}");
        }
    }

    #[test]
    fn every_table_is_well_formed_and_sorted() {
        for table in [ACTIONS, KEYS, KEY_TEMPLATES, PROFILES, RESOURCE_TYPES, SERVICES] {
            assert!(table.is_ascii() && table.ends_with('\n') && !table.contains(['#', '\r']));
            let names: Vec<_> = table.lines().map(name_of).collect();
            assert!(names.is_sorted_by(|a, b| a.to_ascii_lowercase() < b.to_ascii_lowercase()));
        }
        for table in [ACTIONS, KEYS, KEY_TEMPLATES, PROFILES, RESOURCE_TYPES] {
            assert!(table.lines().map(name_of).all(|name| name.contains(':')));
        }
        for (table, stars) in [(KEYS, 0), (KEY_TEMPLATES, 1)] {
            for line in table.lines() {
                assert!(line.split_once(' ').and_then(KeyInfo::from_line).is_some(), "{line}");
                assert_eq!(line.matches('*').count(), stars, "{line}");
            }
        }
    }

    #[test]
    fn every_number_of_every_profile_is_found() {
        for action in ACTIONS.lines().map(name_of) {
            let details = details(action).expect("it is known");
            assert_eq!(!details.resources.is_empty(), has_resource_types(action) == Some(true));
        }
        for line in PROFILES.lines() {
            let (service, rest) = line.split_once(':').expect("a service");
            let n_types = resource_types(service).count();
            let n_keys = keys_of_service(service).count();
            for (list, n_known) in rest.split(' ').skip(1).zip([n_types, n_keys]) {
                for number in list.split(',').filter(|number| *number != "-") {
                    assert!(number.parse::<usize>().is_ok_and(|number| number < n_known), "{line}");
                }
            }
        }
    }

    #[test]
    fn an_action_knows_its_resources_and_keys() {
        let found = details("s3:getobject").expect("it is known");
        assert!(found.resources.contains(&"arn:*:s3:::*/*"), "{found:?}");
        assert!(!found.resources.contains(&"arn:*:s3:::*"), "{found:?}");
        assert!(found.keys.contains(&"s3:ExistingObjectTag/*"), "{found:?}");
        assert!(!found.keys.contains(&"s3:prefix"), "{found:?}");
        assert_eq!(details("s3:listallmybuckets").map(|found| found.resources), Some(vec![]));
        assert_eq!(details("s3:GetObjec"), None);
    }

    #[test]
    fn services_are_found_in_any_case() {
        assert_eq!(service("S3"), Some("s3"));
        assert_eq!(service("s3:"), None);
        assert!(is_resource_controlled("s3") && !is_resource_controlled("ec2"));
        assert!(services().any(|service| service == "access-analyzer"));
        assert!(keys_of_service("s3").all(|key| key != "!"));
        assert_eq!(resource_types("nothing").count(), 0);
        assert!(all_resource_types().all(|arn| arn.starts_with("arn:")));
    }

    #[test]
    fn a_key_with_a_variable_part_is_the_same_with_another() {
        for (known, key, expected) in [
            ("s3:prefix", "S3:Prefix", true),
            ("s3:prefix", "s3:prefixes", false),
            ("aws:RequestTag/*", "aws:requesttag/x", true),
            ("aws:RequestTag/*", "aws:RequestTag/", false),
            ("a:*/z", "a:b/Z", true),
            ("a:*/z", "a:/z", false),
        ] {
            assert_eq!(is_same_key(known, key), expected, "{known} {key}");
        }
    }

    #[test]
    fn the_version_names_a_release_and_a_day() {
        let (release, day) = version().split_once(" of ").expect("a version");
        assert!(!release.is_empty() && day.len() == "2026-01-01".len());
    }
}
