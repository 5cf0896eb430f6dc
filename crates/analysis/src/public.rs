//! What a service takes for public, as data.
//!
//! `public/tables.toml` has one table for each resource type, each with its source and the day on
//! which that was read; [`table`] finds one. The rule that reads a table is in
//! [`mod@crate::encode`], and its concrete twin in [`mod@crate::replay`]: an allowed request is
//! public unless a named principal, a *fixed value* of a trusted key, or an address among few
//! confines it. Absence never does. The two share the tables and nothing else, so nothing here
//! decides whether a value is fixed.
//!
//! Tables in Rust were the first way. With more than one service the differences between them
//! drowned in code, and a change of AWS's documentation should be a change of data.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use keyaki_policy::catalogue;
use keyaki_policy::diagnostic::closest;
use serde::Deserialize;

/// What one service takes for public, under one reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// CloudFormation's name of the type of resource, or Access Analyzer's where they differ.
    pub resource_type: String,
    /// Other names of the type.
    pub other_names: Vec<String>,
    /// Whether Access Analyzer's CheckNoPublicAccess knows the type.
    pub is_listed: bool,
    /// What answers call the service.
    pub service: String,
    /// Which values count as fixed.
    pub reading: Reading,
    /// The rule's source.
    pub source: String,
    /// The day the source was read.
    pub date: String,
    /// What the table has from elsewhere.
    pub inferred: Option<String>,
    /// Keys whose fixed values confine a request.
    pub trusted_keys: Vec<TrustedKey>,
    /// How many addresses are not the public yet; `None` if addresses confine nobody.
    pub addresses: Option<MaxAddresses>,
    /// Known actions that a policy of such a resource cannot grant to another account, lower case,
    /// ascending. An unknown action is taken to be one that it can.
    pub without_effect: Vec<String>,
    /// Service principals whose name confines nobody, because they act for anybody.
    pub deputies: Vec<String>,
}

/// Which values count as fixed, and what is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reading {
    /// As the service documents it: values without wildcard and without variable.
    #[default]
    Documented,
    /// Fixed parts of values as well: the account in an ARN, the organisation of a path.
    Semantic,
    /// As [`Reading::Documented`], of the Allow statements alone: how S3's RestrictPublicBuckets
    /// tells a public policy when a request arrives.
    RestrictPublicBuckets,
}

/// The most addresses that are not the public.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxAddresses {
    /// Of IPv4, outside RFC 1918.
    pub ipv4: u128,
    /// Of IPv6.
    pub ipv6: u128,
}

/// A key whose fixed values confine a request, and which values are fixed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKey {
    /// Which keys.
    pub key: KeyName,
    /// What counts as fixed beyond "no wildcard, no policy variable".
    pub fixed: Fixed,
    /// Under [`Reading::Semantic`]: the part of a value that is enough. `None` under other
    /// readings.
    pub part: Option<Part>,
}

/// Which keys an entry of a table is about. Names are lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyName {
    /// The one of this name.
    Is(String),
    /// Those of any identity provider that have this name behind their last colon.
    OfProvider(String),
}

/// Which values of a trusted key are fixed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fixed {
    /// Values without wildcard and without variable, but neither empty nor `anonymous`.
    #[default]
    Literal,
    /// As [`Fixed::Literal`], and not with a colon: the part of a user id behind it is chosen by
    /// the caller.
    NoColon,
    /// As [`Fixed::Literal`], or an ARN whose account is twelve digits and whose wildcards are all
    /// in the sixth field.
    AccountOfArn,
    /// Only `true`, whatever values the policy names: the other one is what everybody has.
    True,
}

/// A part of a value that is enough to confine a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The account of an ARN: twelve digits, or `${aws:ResourceAccount}`. No wildcard before it may
    /// stand for a colon.
    Account,
    /// The id of an organisation, which is what precedes the first slash.
    Organization,
    /// The whole, if it is `${aws:ResourceAccount}`.
    Owner,
    /// The whole, if it is `${aws:ResourceOrgID}`.
    OwnersOrganization,
}

/// Why there is no table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTable {
    /// The name is none of a resource type that is known here.
    #[error("unknown resource type `{name}`")]
    UnknownType {
        /// The name.
        name: String,
        /// The name that it was probably meant to be.
        similar: Option<&'static str>,
    },
    /// The reading is not about resources of the type.
    #[error("the reading `{}` is not about `{resource_type}`", .reading.name())]
    OtherReading {
        /// The reading.
        reading: Reading,
        /// The type.
        resource_type: String,
        /// The types that it is about.
        types: Vec<&'static str>,
    },
}

/// The key whose admitted values are counted as addresses.
pub const ADDRESS_KEY: &str = "aws:sourceip";

/// The resource type whose table is in force unless another is named.
pub const DEFAULT_RESOURCE_TYPE: &str = "AWS::S3::Bucket";

/// All tables, under all readings.
static TABLES: LazyLock<Vec<Table>> =
    LazyLock::new(|| read(include_str!("public/tables.toml")).expect("a test reads the tables"));

/// The tables once more, of which any address is the public: for the question whether a policy
/// admits some address of a few.
static COUNTING: LazyLock<Vec<Table>> = LazyLock::new(|| {
    let any = Some(MaxAddresses { ipv4: 0, ipv6: 0 });
    TABLES.iter().map(|table| Table { addresses: any, ..table.clone() }).collect()
});

/// Amazon S3's buckets, documented reading.
pub static S3: LazyLock<&'static Table> = LazyLock::new(|| {
    table(DEFAULT_RESOURCE_TYPE, Reading::Documented).expect("a test reads the tables")
});

/// All tables of a reading, in the order of the file.
pub fn tables(reading: Reading) -> impl Iterator<Item = &'static Table> {
    TABLES.iter().filter(move |table| table.reading == reading)
}

/// The table of a resource type, by any of its names, under a reading.
///
/// # Errors
///
/// [`NoTable`] if there is none.
pub fn table(name: &str, reading: Reading) -> Result<&'static Table, NoTable> {
    if let Some(table) = tables(reading).find(|table| table.names().any(|known| known == name)) {
        return Ok(table);
    }
    let is_known = tables(Reading::Documented).any(|table| table.names().any(|n| n == name));
    if is_known {
        let types = tables(reading).map(|table| table.resource_type.as_str()).collect();
        return Err(NoTable::OtherReading { reading, resource_type: name.to_owned(), types });
    }
    let names = tables(Reading::Documented).flat_map(Table::names);
    Err(NoTable::UnknownType { name: name.to_owned(), similar: closest(name, names) })
}

impl Table {
    /// The same table, but that any address is the public.
    pub(crate) fn counting(&self) -> Option<&'static Table> {
        let is_twin = |table: &&Table| {
            (table.reading, &table.resource_type) == (self.reading, &self.resource_type)
        };
        COUNTING.iter().find(is_twin)
    }

    /// All names of the resource type, the first being the one that answers use.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.resource_type).chain(&self.other_names).map(String::as_str)
    }

    /// The reading and the service, as answers name them.
    pub fn title(&self) -> String {
        format!("{} reading of {}", self.reading.name(), self.service)
    }
}

impl Reading {
    /// All readings, with their names; the first is the default.
    pub const ALL: [(Reading, &'static str); 3] = [
        (Reading::Documented, "documented"),
        (Reading::Semantic, "semantic"),
        (Reading::RestrictPublicBuckets, "restrict-public-buckets"),
    ];

    /// The name.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// The reading of that name.
    pub fn by_name(name: &str) -> Option<Reading> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(reading, _)| *reading)
    }
}

impl KeyName {
    fn new(text: &str) -> KeyName {
        match text.to_ascii_lowercase() {
            lower if lower.starts_with("*:") => KeyName::OfProvider(lower[1..].to_owned()),
            lower => KeyName::Is(lower),
        }
    }

    /// Whether the key, however it is spelt, is one of these.
    pub fn includes(&self, key: &str) -> bool {
        match self {
            KeyName::Is(name) => name.eq_ignore_ascii_case(key),
            KeyName::OfProvider(end) => {
                let lower = key.to_ascii_lowercase();
                lower.ends_with(end.as_str()) && !lower.starts_with("aws:")
            }
        }
    }
}

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    keys: Vec<KeyList>,
    table: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyList {
    name: String,
    source: String,
    date: String,
    keys: Vec<KeyRow>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyRow {
    key: String,
    #[serde(default)]
    fixed: Fixed,
    part: Option<Part>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    resource_type: String,
    #[serde(default)]
    also: Vec<String>,
    #[serde(default = "yes")]
    listed: bool,
    service: String,
    keys: Vec<String>,
    widest_ipv4: Option<u32>,
    widest_ipv6: Option<u32>,
    #[serde(default)]
    effective_actions: Vec<String>,
    #[serde(default)]
    deputies: Vec<String>,
    #[serde(default)]
    restrict_public_buckets: bool,
    source: String,
    date: String,
    inferred: Option<String>,
}

fn yes() -> bool {
    true
}

/// The tables of a file, under each reading that is about them.
fn read(text: &str) -> Result<Vec<Table>, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    for list in &file.keys {
        if list.source.is_empty() || list.date.is_empty() {
            return Err(format!("the keys `{}` have no source or no date", list.name));
        }
    }
    let mut tables = Vec::new();
    for row in &file.table {
        for (reading, _) in Reading::ALL {
            if reading != Reading::RestrictPublicBuckets || row.restrict_public_buckets {
                tables.push(row.table(&file.keys, reading)?);
            }
        }
    }
    Ok(tables)
}

impl Row {
    fn table(&self, lists: &[KeyList], reading: Reading) -> Result<Table, String> {
        let name = &self.resource_type;
        let mut trusted_keys = Vec::new();
        for wanted in &self.keys {
            let list = lists.iter().find(|list| list.name == *wanted);
            let list = list.ok_or_else(|| format!("{name}: there are no keys `{wanted}`"))?;
            trusted_keys.extend(list.keys.iter().map(|row| TrustedKey {
                key: KeyName::new(&row.key),
                fixed: row.fixed,
                part: row.part.filter(|_| reading == Reading::Semantic),
            }));
        }
        let n_addresses = |width: u32, widest: u32| {
            let bits = width.checked_sub(widest);
            bits.and_then(|bits| 1u128.checked_shl(bits)).ok_or_else(|| format!("{name}: {widest}"))
        };
        let addresses = match (self.widest_ipv4, self.widest_ipv6) {
            (Some(v4), Some(v6)) => {
                Some(MaxAddresses { ipv4: n_addresses(32, v4)?, ipv6: n_addresses(128, v6)? })
            }
            (None, None) => None,
            _ => return Err(format!("{name}: the widths of both families, or none")),
        };
        Ok(Table {
            resource_type: name.clone(),
            other_names: self.also.clone(),
            is_listed: self.listed,
            service: self.service.clone(),
            reading,
            source: self.source.clone(),
            date: self.date.clone(),
            inferred: self.inferred.clone(),
            trusted_keys,
            addresses,
            without_effect: self.without_effect(),
            deputies: self.deputies.clone(),
        })
    }

    /// The known actions of the services of the effective ones, but for these.
    fn without_effect(&self) -> Vec<String> {
        let lower = |action: &str| action.to_ascii_lowercase();
        let effective: BTreeSet<String> = self.effective_actions.iter().map(|a| lower(a)).collect();
        let service = |action: &String| action.split_once(':').map(|(s, _)| format!("{s}:"));
        let services: BTreeSet<String> = effective.iter().filter_map(service).collect();
        let known = services.iter().flat_map(|service| catalogue::actions_with_prefix(service));
        let known: BTreeSet<String> = known.map(lower).collect();
        known.difference(&effective).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The valid values of `resourceType` in the API reference of CheckNoPublicAccess, read
    /// 2026-11-29.
    const LISTED: [&str; 26] = [
        "AWS::DynamoDB::Table",
        "AWS::DynamoDB::Stream",
        "AWS::EFS::FileSystem",
        "AWS::OpenSearchService::Domain",
        "AWS::Kinesis::Stream",
        "AWS::Kinesis::StreamConsumer",
        "AWS::KMS::Key",
        "AWS::Lambda::Function",
        "AWS::S3::Bucket",
        "AWS::S3::AccessPoint",
        "AWS::S3Express::DirectoryBucket",
        "AWS::S3::Glacier",
        "AWS::S3Outposts::Bucket",
        "AWS::S3Outposts::AccessPoint",
        "AWS::SecretsManager::Secret",
        "AWS::SNS::Topic",
        "AWS::SQS::Queue",
        "AWS::IAM::AssumeRolePolicyDocument",
        "AWS::S3Tables::TableBucket",
        "AWS::ApiGateway::RestApi",
        "AWS::CodeArtifact::Domain",
        "AWS::Backup::BackupVault",
        "AWS::CloudTrail::Dashboard",
        "AWS::CloudTrail::EventDataStore",
        "AWS::S3Tables::Table",
        "AWS::S3Express::AccessPoint",
    ];

    fn documented(name: &str) -> &'static Table {
        table(name, Reading::Documented).unwrap()
    }

    #[test]
    fn there_is_a_table_for_each_type_that_access_analyzer_lists() {
        let listed: BTreeSet<&str> = tables(Reading::Documented)
            .filter(|t| t.is_listed)
            .map(|t| &*t.resource_type)
            .collect();
        assert_eq!(listed, LISTED.into_iter().collect());
        let names: Vec<&str> = tables(Reading::Documented).flat_map(Table::names).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
    }

    #[test]
    fn every_table_has_a_source_and_a_date() {
        for table in TABLES.iter() {
            assert!(table.source.starts_with("https://docs.aws.amazon.com/"), "{table:?}");
            let digits = table.date.bytes().filter(u8::is_ascii_digit).count();
            assert_eq!((table.date.len(), digits), (10, 8), "{table:?}");
            assert!(!table.trusted_keys.is_empty(), "{table:?}");
        }
    }

    #[test]
    fn widths_become_numbers_of_addresses() {
        let few = Some(MaxAddresses { ipv4: 1 << 24, ipv6: 1 << 96 });
        assert_eq!(S3.addresses, few);
        assert_eq!(documented("AWS::DynamoDB::Table").addresses, None);
    }

    #[test]
    fn fifteen_keys_are_trusted_by_dynamodb() {
        assert_eq!(documented("AWS::DynamoDB::Table").trusted_keys.len(), 15);
        assert_eq!(
            documented("AWS::DSQL::Cluster").trusted_keys,
            documented("AWS::DynamoDB::Stream").trusted_keys
        );
    }

    #[test]
    fn what_cannot_be_granted_to_other_accounts_is_the_rest_of_what_is_known() {
        let table = documented("AWS::KMS::Key");
        let is_without = |action: &str| table.without_effect.iter().any(|known| known == action);
        assert!(is_without("kms:schedulekeydeletion") && is_without("kms:listkeys"));
        assert!(!is_without("kms:decrypt") && !is_without("kms:unheardof"));
        for row in catalogue::actions_with_prefix("kms:") {
            assert_eq!(row.split(':').next(), Some("kms"));
        }
        assert!(S3.without_effect.is_empty());
    }

    #[test]
    fn parts_are_of_the_semantic_reading_alone() {
        for table in TABLES.iter() {
            let has_parts = table.trusted_keys.iter().any(|key| key.part.is_some());
            assert_eq!(has_parts, table.reading == Reading::Semantic, "{table:?}");
        }
    }

    #[test]
    fn a_name_that_is_none_is_told_with_the_nearest() {
        let check = |name: &str, expected: Option<&str>| match table(name, Reading::Documented) {
            Err(NoTable::UnknownType { similar, .. }) => assert_eq!(similar, expected, "{name}"),
            other => panic!("{name}: {other:?}"),
        };
        check("AWS::S3::Buckets", Some("AWS::S3::Bucket"));
        check("aws::sqs::queue", Some("AWS::SQS::Queue"));
        check("AWS:KMS:Key", Some("AWS::KMS::Key"));
        check("AWS::ECR::Repository", None);
        check("", None);
        check(&"x".repeat(1 << 20), None);
        assert_eq!(documented("AWS::IAM::Role").service, "AWS IAM role trust policies");
    }

    #[test]
    fn one_reading_is_about_buckets_and_access_points() {
        let reading = Reading::RestrictPublicBuckets;
        assert!(table("AWS::S3::AccessPoint", reading).is_ok());
        match table("AWS::SQS::Queue", reading) {
            Err(NoTable::OtherReading { types, .. }) => {
                assert_eq!(types, ["AWS::S3::Bucket", "AWS::S3::AccessPoint"]);
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn keys_of_providers_are_told_by_their_ends() {
        let sub = KeyName::new("*:sub");
        assert!(sub.includes("token.actions.githubusercontent.com:sub"));
        assert!(sub.includes("oidc.eks.eu-west-1.amazonaws.com/id/ABC:SUB"));
        for other in ["aws:sub", "accounts.google.com:subject", "sub", "accounts.google.com:aud"] {
            assert!(!sub.includes(other), "{other}");
        }
    }

    #[test]
    fn mistakes_in_a_file_are_told() {
        for (text, part) in [
            ("keys = []\ntable = []\nx = 1", "unknown field"),
            ("keys = []\n[[table]]\nresource_type = \"a\"", "missing field"),
            (
                "keys = []\n[[table]]\nresource_type = \"a\"\nservice = \"s\"\nkeys = [\"k\"]\nsource = \"\"\ndate = \"\"",
                "there are no keys `k`",
            ),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
