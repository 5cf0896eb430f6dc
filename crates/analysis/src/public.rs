//! What a service takes for public, as data.
//!
//! One table for each resource type; so far there is Amazon S3's. The rule that reads the tables
//! is in [`mod@crate::encode`], and its concrete twin in [`crate::replay`]: an allowed request is
//! public unless a named principal, or a *fixed value* of a trusted key, confines it. Absence never
//! does.

/// What one service takes for public.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Name of the reading, as answers state it.
    pub reading: &'static str,
    /// The rule's source.
    pub source: &'static str,
    /// The day the source was read.
    pub date: &'static str,
    /// Keys whose fixed values confine a request.
    pub trusted_keys: &'static [TrustedKey],
    /// More IPv4 addresses than this, outside RFC 1918, are public.
    pub max_ipv4_addresses: u128,
    /// More IPv6 addresses than this are public.
    pub max_ipv6_addresses: u128,
}

/// A key whose fixed values confine a request, and which values are fixed.
#[derive(Debug, PartialEq, Eq)]
pub struct TrustedKey {
    /// The key, lower case.
    pub key: &'static str,
    /// What counts as fixed beyond "no wildcard, no policy variable".
    pub fixed: Fixed,
}

/// Which values of a trusted key are fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fixed {
    /// Values without wildcard and without variable, but neither empty nor `anonymous`.
    Literal,
    /// As [`Fixed::Literal`], and not with a colon: the part of a user id behind it is chosen by
    /// the caller.
    LiteralWithoutColon,
    /// As [`Fixed::Literal`], or an ARN whose account is twelve digits and whose wildcards are all
    /// in the sixth field.
    AccountOfArn,
}

/// The key whose admitted values are counted as addresses.
pub const ADDRESS_KEY: &str = "aws:sourceip";

const fn literal(key: &'static str) -> TrustedKey {
    TrustedKey { key, fixed: Fixed::Literal }
}

/// Amazon S3, documented reading.
pub static S3: Table = Table {
    reading: "documented reading of Amazon S3",
    source: "Amazon S3 User Guide, \"Blocking public access to your Amazon S3 storage\", \
             the meaning of \"public\"",
    date: "2026-11-23",
    trusted_keys: &[
        literal("aws:principalarn"),
        literal("aws:principalaccount"),
        literal("aws:principalorgid"),
        literal("aws:principalorgpaths"),
        literal("aws:principalservicename"),
        literal("aws:principalservicenameslist"),
        literal("aws:sourcearn"),
        literal("aws:sourcevpc"),
        literal("aws:sourcevpce"),
        literal("aws:sourceowner"),
        literal("aws:sourceaccount"),
        TrustedKey { key: "aws:userid", fixed: Fixed::LiteralWithoutColon },
        TrustedKey { key: "s3:dataaccesspointarn", fixed: Fixed::AccountOfArn },
        literal("s3:dataaccesspointaccount"),
    ],
    // A /8.
    max_ipv4_addresses: 1 << 24,
    // A /32.
    max_ipv6_addresses: 1 << 96,
};
