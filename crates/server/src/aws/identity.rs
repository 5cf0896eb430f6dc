//! `sts:GetCallerIdentity`, which tells a client whom its credentials are of.
//!
//! We have no users. The answer is always the same user of an account that the settings name, for tools put that account into the ARNs of
//! templates before they ask about their policies.

use super::error::escaped;

/// The answer as XML.
pub(super) fn answer(account: &str, request_id: &str) -> String {
    format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Arn>arn:aws:iam::{account}:user/keyaki</Arn><UserId>AIDAKEYAKIKEYAKIKEYAK</UserId><Account>{account}</Account>\
         </GetCallerIdentityResult><ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></GetCallerIdentityResponse>",
        escaped(request_id),
    )
}
