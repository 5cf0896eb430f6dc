//! The properties that come with the program, by name.
//!
//! Each is a file of `properties/`, written as any property is, so that whoever needs another one can begin with a copy. They
//! are compiled in: a program that is one file has nothing to look for.

use keyaki_policy::diagnostic::closest;

use super::Written;
use crate::wire::ErrorRecord;

/// A property that comes with the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    /// Its name.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

macro_rules! ready {
    ($($name:literal)*) => {
        /// All of them, by name.
        pub const ALL: &[Ready] = &[$(Ready {
            name: $name,
            text: include_str!(concat!("../../properties/", $name, ".yaml")),
        }),*];
    };
}

ready! {
    "accounts-only"
    "audit-trail-kept"
    "auditors-can-read"
    "boundary-required"
    "encrypted-uploads"
    "external-id"
    "kms-separation"
    "known-networks-only"
    "mfa-for-deletion"
    "no-anonymous"
    "no-privilege-escalation"
    "no-public-acl"
    "no-wildcard-principal"
    "organization-only"
    "pass-role-limited"
    "read-only"
    "regions-only"
    "service-source"
    "tag-isolation"
    "tls-1-2"
    "tls-only"
    "upload-key"
    "vpc-endpoint-only"
}

/// The property of that name.
///
/// # Errors
///
/// There is none; a hint says which there are.
pub fn by_name(name: &str) -> Result<Ready, String> {
    let found = ALL.iter().find(|ready| ready.name == name).copied();
    found.ok_or_else(|| match closest(name, ALL.iter().map(|ready| ready.name)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`keyaki properties` lists those that there are".to_owned(),
    })
}

impl Ready {
    /// What it is for, and its parameters, each with what it is.
    ///
    /// # Errors
    ///
    /// Its text is wrong, which a test would have told.
    pub fn about(&self) -> Result<About, Box<ErrorRecord>> {
        super::about(self.text)
    }

    /// The property, with these values for its parameters.
    ///
    /// # Errors
    ///
    /// A parameter has no value or one that does not fit.
    pub fn with(&self, values: &super::parameters::Values) -> Result<Written, Box<ErrorRecord>> {
        super::from_text(self.text, values)
    }
}

/// What can be told of a property before its parameters have values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// What it is for, in the words of its author.
    pub description: Option<String>,
    /// Its parameters, each with what it is, in the order in which they stand in it.
    pub parameters: Vec<(String, String)>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::property::parameters::Values;

    /// A value for each parameter that the library has.
    const VALUES: &[(&str, &str)] = &[
        ("accounts", "111122223333"),
        ("addresses", "203.0.113.0/24"),
        ("administrators", "arn:aws:iam::111122223333:role/key-admin"),
        ("auditors", "arn:aws:iam::111122223333:role/auditor"),
        ("boundary", "arn:aws:iam::111122223333:policy/boundary"),
        ("endpoints", "vpce-1a2b3c4d"),
        ("keys", "arn:aws:kms:eu-central-1:111122223333:key/1234"),
        ("objects", "arn:aws:s3:::b/*"),
        ("organization", "o-a1b2c3d4e5"),
        ("regions", "eu-central-1"),
        ("roles", "arn:aws:iam::111122223333:role/lambda/*"),
        ("services", "lambda.amazonaws.com"),
        ("tag", "team"),
        ("vpcs", "vpc-1a2b3c4d"),
    ];

    #[test]
    fn each_is_a_property_with_a_description_under_the_name_of_its_file() {
        let values: BTreeMap<&str, &str> = VALUES.iter().copied().collect();
        for ready in ALL {
            let about = ready.about().unwrap_or_else(|error| panic!("{}: {error:?}", ready.name));
            assert!(about.description.is_some(), "{}", ready.name);
            let value = |(name, _): &(String, String)| {
                (name.clone(), vec![values[name.as_str()].to_owned()])
            };
            let given: Values = about.parameters.iter().map(value).collect();
            let read = ready.with(&given);
            let read = read.unwrap_or_else(|error| panic!("{}: {error:?}", ready.name));
            assert!(read.notes.is_empty(), "{}: {:?}", ready.name, read.notes);
        }
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/properties");
        let files = std::fs::read_dir(folder).expect("there is the folder");
        let mut names: Vec<String> = files
            .map(|file| file.expect("a file").file_name().to_string_lossy().replace(".yaml", ""))
            .collect();
        names.sort();
        assert_eq!(names, ALL.iter().map(|ready| ready.name).collect::<Vec<_>>());
    }
}
