//! What is asked by the query protocol: `GetCallerIdentity` of STS, which tells a client whom its credentials are of.
//!
//! We have no users. The answer is always the same user of an account that the settings name, for tools put that account into the ARNs of
//! templates before they ask about their policies.

use super::error::{AwsError, escaped};

/// The most parameters of a form that are read.
const PARAMETERS_MAX: usize = 1_000;

/// Answers a form.
pub(super) fn answer(body: &[u8], account: &str, request_id: &str) -> Result<String, AwsError> {
    let mut parameters = form_urlencoded::parse(body).take(PARAMETERS_MAX);
    let action = parameters.find(|(name, _)| name == "Action").map(|(_, value)| value);
    match action.as_deref() {
        Some("GetCallerIdentity") => Ok(format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
             <Arn>arn:aws:iam::{account}:user/keyaki</Arn><UserId>AIDAKEYAKIKEYAKIKEYAK</UserId><Account>{account}</Account>\
             </GetCallerIdentityResult><ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></GetCallerIdentityResponse>",
            escaped(request_id),
        )),
        Some(other) => Err(AwsError::action(format!("there is no action `{other}` here"))),
        None => Err(AwsError::action("the form names no `Action`")),
    }
}
