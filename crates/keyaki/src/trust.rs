//! The zone of trust, as the `trust` member of a job and the flags of the command line have it.

use keyaki_analysis::zone::{ServicePrincipals, Zone};
use keyaki_policy::json::{Kind, Member, Value};

use crate::reader::{Fallible, Reader, pointer};
use crate::wire::ErrorRecord;

/// The most accounts of one list: AWS lets an organisation have 10,000 unless asked for more.
pub const MAX_ACCOUNTS: usize = 50_000;

const FORM: &str = r#"such as `{"accounts": ["111122223333"], "organization": "o-a1b2c3d4e5"}`"#;

/// A zone from texts: accounts, an organisation, accounts of the organisation, and the owner of the
/// resource.
///
/// # Errors
///
/// The first text that is no account or organisation; accounts of an organisation that is not named;
/// or nobody is trusted at all.
pub fn from_texts(
    accounts: &[String],
    organization: Option<&str>,
    organization_accounts: &[String],
    owner: Option<&str>,
    services: ServicePrincipals,
) -> Result<Zone, ErrorRecord> {
    for account in accounts.iter().chain(organization_accounts).map(String::as_str).chain(owner) {
        account_id(account)?;
    }
    for list in [accounts, organization_accounts] {
        if list.len() > MAX_ACCOUNTS {
            let message = format!("{} accounts; the limit is {MAX_ACCOUNTS}", list.len());
            return Err(wrong(&message, "name the organisation instead"));
        }
    }
    if let Some(organization) = organization {
        organization_id(organization)?;
    } else if !organization_accounts.is_empty() {
        let message = "accounts of an organisation are named, and the organisation is not";
        return Err(wrong(message, "accounts that are trusted for themselves are `accounts`"));
    }
    let zone = Zone {
        accounts: accounts.iter().cloned().collect(),
        organization: organization.map(str::to_owned),
        organization_accounts: organization_accounts.iter().cloned().collect(),
        owner: owner.map(str::to_owned),
        services,
    };
    Ok(zone)
}

/// The zone, if it trusts somebody.
///
/// # Errors
///
/// It trusts nobody.
pub(crate) fn of_somebody(zone: Zone) -> Result<Zone, ErrorRecord> {
    if zone.known_accounts().next().is_none() && zone.organization.is_none() {
        let hint = "name whom the owner trusts, or the owner: `trust` and `resource_account` in a job, \
                    `--trust-account`, `--trust-org` and `--resource-account` on the command line";
        return Err(wrong("`no-external-access` takes a zone of trust, and has none", hint));
    }
    Ok(zone)
}

fn account_id(text: &str) -> Result<(), ErrorRecord> {
    let is_account = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_account {
        return Ok(());
    }
    Err(wrong(&format!("`{text}` is no account"), "the id of an account has twelve digits"))
}

fn organization_id(text: &str) -> Result<(), ErrorRecord> {
    let is_id = text.strip_prefix("o-").is_some_and(|id| {
        let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        (10..=32).contains(&id.len()) && id.bytes().all(is_letter)
    });
    if is_id {
        return Ok(());
    }
    let hint = "an id is `o-` and 10 to 32 lower-case letters and digits, such as `o-a1b2c3d4e5`";
    Err(wrong(&format!("`{text}` is no id of an organisation"), hint))
}

fn wrong(message: &str, hint: &str) -> ErrorRecord {
    ErrorRecord { hint: Some(hint.to_owned()), ..ErrorRecord::new("invalid-trust", message) }
}

/// What a job says of a zone, before its members are put together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts {
    accounts: Vec<String>,
    organization: Option<String>,
    organization_accounts: Vec<String>,
    pub(crate) owner: Option<String>,
    pub(crate) services: ServicePrincipals,
    /// Whether any of these members is there.
    pub(crate) is_given: bool,
}

impl Parts {
    pub(crate) fn zone(&self) -> Result<Zone, ErrorRecord> {
        from_texts(
            &self.accounts,
            self.organization.as_deref(),
            &self.organization_accounts,
            self.owner.as_deref(),
            self.services,
        )
    }
}

impl Reader<'_> {
    /// The value of `trust`.
    pub(crate) fn trust(&self, value: &Value<'_>, path: &str, parts: &mut Parts) -> Fallible<()> {
        let Kind::Object(members) = &value.kind else {
            return Err(self.wrong_with_hint(value, path, "`trust` is an object", FORM));
        };
        for Member { key, value, .. } in members {
            let path = pointer(path, key);
            match &**key {
                "accounts" => parts.accounts = self.accounts(value, &path)?,
                "organization" => {
                    let id = self.string(value, &path)?;
                    organization_id(id).map_err(|error| self.placed(value, &path, error))?;
                    parts.organization = Some(id.to_owned());
                }
                "organization_accounts" => {
                    parts.organization_accounts = self.accounts(value, &path)?;
                }
                other => {
                    let message = format!("a zone of trust has no member `{other}`");
                    return Err(self.wrong_with_hint(value, &path, &message, FORM));
                }
            }
        }
        Ok(())
    }

    /// The id of an account.
    pub(crate) fn account(&self, value: &Value<'_>, path: &str) -> Fallible<String> {
        let text = self.string(value, path)?;
        account_id(text).map_err(|error| self.placed(value, path, error))?;
        Ok(text.to_owned())
    }

    /// The value of `service_principals`.
    pub(crate) fn services(&self, value: &Value<'_>, path: &str) -> Fallible<ServicePrincipals> {
        let name = self.string(value, path)?;
        services_by_name(name).ok_or_else(|| {
            let message = format!("`{name}` is no reading of service principals");
            self.wrong_with_hint(value, path, &message, "the readings are `ignore` and `deputy`")
        })
    }

    fn accounts(&self, value: &Value<'_>, path: &str) -> Fallible<Vec<String>> {
        let Kind::Array(accounts) = &value.kind else {
            return Err(self.wrong(value, path, "a list of accounts is expected"));
        };
        let accounts = accounts.iter().enumerate();
        accounts.map(|(index, value)| self.account(value, &format!("{path}/{index}"))).collect()
    }

    fn placed(&self, value: &Value<'_>, path: &str, error: ErrorRecord) -> Box<ErrorRecord> {
        let hint = error.hint.unwrap_or_default();
        let mut record = self.wrong_with_hint(value, path, &error.message, &hint);
        record.code = error.code;
        record
    }
}

/// The reading of that name.
pub fn services_by_name(name: &str) -> Option<ServicePrincipals> {
    match name {
        "ignore" => Some(ServicePrincipals::Ignored),
        "deputy" => Some(ServicePrincipals::Deputies),
        _ => None,
    }
}
