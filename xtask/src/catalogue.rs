//! Writes `crates/policy/src/catalogue/*.txt` from the service reference and `by_hand.txt`.
//!
//! The reference is a scrape of AWS's pages, so it has no global keys to speak of and some wrong
//! types; `catalogue/by_hand.txt` supplies the first and overrides the second. Where services of
//! the reference disagree on a key, the service that the key is named after is believed, else the
//! first in alphabetical order. Every disagreement is printed.
//!
//! The output is text with one name a line, because it is read by binary search (see
//! `keyaki_policy::catalogue`) and reviewed as a diff. Grouping actions by service would save a
//! third of its size, but then no action would be a slice of the text.
//!
//! What goes with an action (the types of its resources, its condition keys) is the same for many
//! actions of a service: it is written once, as a profile, in numbers that count the service's
//! types and keys, and an action names its profile. Written out it would be 4 MiB.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

const BY_HAND: &str = include_str!("catalogue/by_hand.txt");
const REFERENCE: &str = "corpus/service_reference/service_reference.json";
const LICENCE: &str = "corpus/service_reference/LICENSE.txt";

/// Runs the chore. `--check` compares the checked-in files instead of writing them.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let check = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        [other, ..] => return Err(format!("`catalogue` has no argument `{other}`")),
    };
    let Some(generated) = generate_from_shared()? else {
        eprintln!("SKIPPED: {REFERENCE} is not beside this working copy; nothing compared");
        return if check { Ok(()) } else { Err("no reference to generate from".to_owned()) };
    };
    for note in &generated.notes {
        println!("note: {note}");
    }
    if check {
        return compare(&generated);
    }
    for (name, text) in &generated.files {
        fs::write(folder().join(name), text)
            .map_err(|error| format!("cannot write `{name}`: {error}"))?;
        println!("{name}: {} lines, {} KiB", text.lines().count(), text.len().div_ceil(1024));
    }
    Ok(())
}

/// What the chore writes, and what a reviewer should know of it.
struct Generated {
    /// Name in [`folder`] and content.
    files: Vec<(&'static str, String)>,
    notes: Vec<String>,
}

fn folder() -> PathBuf {
    crate::root().join("crates/policy/src/catalogue")
}

/// None if the data is not beside the working copy.
fn generate_from_shared() -> Result<Option<Generated>, String> {
    let (Some(reference), Some(licence)) = (crate::shared(REFERENCE), crate::shared(LICENCE))
    else {
        return Ok(None);
    };
    let read = |path: PathBuf| {
        fs::read_to_string(&path)
            .map_err(|error| format!("cannot read `{}`: {error}", path.display()))
    };
    let reference = serde_json::from_str(&read(reference)?)
        .map_err(|error| format!("`{REFERENCE}` is not JSON: {error}"))?;
    let mut generated = generate(&reference, BY_HAND)?;
    generated.files.push(("LICENSE.txt", read(licence)?));
    Ok(Some(generated))
}

fn compare(generated: &Generated) -> Result<(), String> {
    let stale: Vec<&str> = generated
        .files
        .iter()
        .filter(|(name, text)| {
            fs::read_to_string(folder().join(name)).ok().as_deref() != Some(text)
        })
        .map(|(name, _)| *name)
        .collect();
    if stale.is_empty() {
        return Ok(());
    }
    Err(format!(
        "stale in crates/policy/src/catalogue: {}\nhint: these files are generated; change \
         xtask/src/catalogue/by_hand.txt if you must, run `cargo xtask catalogue` and commit \
         what it writes",
        stale.join(", ")
    ))
}

/// The three tables. Fails on a reference that is not shaped as expected, because a table with
/// holes would quietly make answers vaguer.
fn generate(reference: &Value, by_hand: &str) -> Result<Generated, String> {
    let text = |field: &str| {
        reference[field].as_str().ok_or(format!("the reference has no text field `{field}`"))
    };
    let source = Source { name: text("source")?, date: text("date")? };
    let services = reference["services"].as_object().ok_or("the reference has no `services`")?;

    let mut notes = Vec::new();
    let mut actions = BTreeMap::new();
    let mut details = Details::default();
    let mut candidates: BTreeMap<String, Vec<Candidate>> = BTreeMap::new();
    for (service, facts) in services {
        let profiles = details.of_service(service, facts)?;
        collect_actions(service, facts, &profiles, &mut actions)?;
        collect_keys(service, facts, &mut candidates)?;
    }
    let mut keys: BTreeMap<String, (String, String)> =
        candidates.into_iter().map(|(lower, found)| (lower, believe(&found, &mut notes))).collect();
    apply_by_hand(by_hand, &mut keys, &mut notes)?;

    details.mark_resource_controlled(reference)?;
    let Details { types, services, profiles } = details;
    let sorted = |table: BTreeMap<String, String>| table.into_values().collect::<String>();
    let (templates, keys): (Vec<_>, Vec<_>) =
        keys.into_values().partition(|(name, _)| name.contains('*'));
    let line = |(name, kind): (String, String)| format!("{name} {kind}\n");
    Ok(Generated {
        files: vec![
            (
                "actions.txt",
                source.header(ACTIONS_FORMAT) + &actions.into_values().collect::<String>(),
            ),
            (
                "keys.txt",
                source.header(KEYS_FORMAT) + &keys.into_iter().map(line).collect::<String>(),
            ),
            (
                "key_templates.txt",
                source.header(TEMPLATES_FORMAT)
                    + &templates.into_iter().map(line).collect::<String>(),
            ),
            ("profiles.txt", source.header(PROFILES_FORMAT) + &sorted(profiles)),
            ("resource_types.txt", source.header(TYPES_FORMAT) + &sorted(types)),
            ("services.txt", source.header(SERVICES_FORMAT) + &sorted(services)),
        ],
        notes,
    })
}

const ACTIONS_FORMAT: &str = "\
One action a line, sorted by lower-case bytes. A ` *` after the name: the action has no resource
type, so that it applies to `\"Resource\": \"*\"` only. Then the number of its profile.";
const KEYS_FORMAT: &str = "\
One condition key a line, sorted by lower-case bytes: name and kind, `[]` if it has many values.";
const TEMPLATES_FORMAT: &str = "\
One condition key with a variable part (`*`) a line, sorted by lower-case bytes: template and kind,
`[]` if it has many values. A `*` in front stands for the host and path of an issuer.";

const PROFILES_FORMAT: &str = "\
One profile a line, sorted by bytes: `SERVICE:NUMBER TYPES KEYS`. TYPES and KEYS are numbers, from 0,
of lines of the service in resource_types.txt and of keys of its line in services.txt; `-` is none.";
const TYPES_FORMAT: &str = "\
One resource type a line, sorted by lower-case bytes: `SERVICE:TYPE ARN`, with `*` for what varies.";
const SERVICES_FORMAT: &str = "\
One service a line, sorted by bytes: its prefix, ` !` if resource control policies cover it, the
condition keys of its actions, with `*` for what varies.";

/// The tables of what goes with actions, by the names their lines are sorted by.
#[derive(Default)]
struct Details {
    types: BTreeMap<String, String>,
    services: BTreeMap<String, String>,
    profiles: BTreeMap<String, String>,
}

impl Details {
    /// Adds a service; returns the number of each action's profile.
    fn of_service(
        &mut self,
        service: &str,
        facts: &Value,
    ) -> Result<BTreeMap<String, usize>, String> {
        let none = serde_json::Map::new();
        let listed_types = facts["resource_types"].as_object().unwrap_or(&none);
        let mut types = BTreeMap::new();
        for (name, facts) in listed_types {
            let arn = facts["arn"].as_str().ok_or(format!("`{service}:{name}` has no `arn`"))?;
            if !arn.starts_with("arn:") {
                return Err(format!("`{arn}` of `{service}:{name}` is no ARN"));
            }
            let label = format!("{service}:{name}").replace(' ', "_");
            types.insert(label.to_ascii_lowercase(), (name, format!("{label} {}\n", stars(arn))));
        }
        let type_number = |name: &str| {
            types.values().position(|(known, _)| *known == name).ok_or(format!(
                "`{service}` has no resource type `{name}`, which an action of it names"
            ))
        };
        let mut needs: Vec<(&String, Vec<usize>, BTreeSet<String>)> = Vec::new();
        let actions =
            facts["actions"].as_object().ok_or(format!("`{service}` has no `actions`"))?;
        for (action, facts) in actions {
            let mut numbers = Vec::new();
            let mut keys: BTreeSet<String> = key_list(&facts["condition_keys"]);
            for resource in facts["resources"].as_array().into_iter().flatten() {
                let name = resource["type"].as_str().unwrap_or_default();
                numbers.push(type_number(name)?);
                keys.extend(key_list(&resource["condition_keys"]));
                keys.extend(key_list(&listed_types[name]["condition_keys"]));
            }
            numbers.sort_unstable();
            needs.push((action, numbers, keys));
        }
        let keys: BTreeSet<&String> = needs.iter().flat_map(|(_, _, keys)| keys).collect();
        let mut line = service.to_owned();
        for key in &keys {
            line.push(' ');
            line.push_str(&well_formed(key)?);
        }
        let joined = |numbers: Vec<usize>| match numbers.len() {
            0 => "-".to_owned(),
            _ => numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(","),
        };
        let key_number = |key: &String| keys.iter().position(|known| *known == key);
        let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
        let mut of_action = BTreeMap::new();
        for (action, types, keys) in &needs {
            let keys = keys.iter().filter_map(key_number).collect();
            let profile = format!("{} {}", joined(types.clone()), joined(keys));
            let next = numbers.len();
            let number = *numbers.entry(profile).or_insert(next);
            of_action.insert((*action).clone(), number);
        }
        for (profile, number) in numbers {
            let name = format!("{service}:{number}");
            self.profiles.insert(name.clone(), format!("{name} {profile}\n"));
        }
        self.types.extend(types.into_iter().map(|(sorted_by, (_, line))| (sorted_by, line)));
        self.services.insert(service.to_owned(), line + "\n");
        Ok(of_action)
    }

    fn mark_resource_controlled(&mut self, reference: &Value) -> Result<(), String> {
        for service in reference["rcp_supported_services"].as_array().into_iter().flatten() {
            let name = service.as_str().ok_or("a name in `rcp_supported_services` is no text")?;
            // Some of the names are of services that the reference does not describe.
            let line = self.services.entry(name.to_owned()).or_insert(format!("{name}\n"));
            line.insert_str(name.len(), " !");
        }
        Ok(())
    }
}

fn key_list(keys: &Value) -> BTreeSet<String> {
    keys.as_array().into_iter().flatten().filter_map(Value::as_str).map(template).collect()
}

/// An ARN with every `${…}` as `*`.
fn stars(arn: &str) -> String {
    let mut text = String::new();
    let mut rest = arn;
    while let Some((before, after)) = rest.split_once("${") {
        text.push_str(before);
        text.push('*');
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    text + rest
}

struct Source<'a> {
    name: &'a str,
    date: &'a str,
}

impl Source<'_> {
    /// Comment lines that open a generated file; `version` is read by `catalogue::version`.
    fn header(&self, format: &str) -> String {
        let Source { name, date } = self;
        let version = name.rsplit(' ').next().unwrap_or(name);
        let text = format!(
            "@generated by cargo xtask catalogue\nversion {version} of {date}\n\
             Source: npm package {name}, data of {date}:\n\
             facts of the AWS Service Authorization Reference. Copyright (c) 2024 Act Security,\n\
             MIT licence; see LICENSE.txt beside this file.\n\
             Condition keys also from xtask/src/catalogue/by_hand.txt.\n{format}"
        );
        text.lines().map(|line| format!("# {line}\n")).collect()
    }
}

/// What one service says of a key.
struct Candidate {
    service: String,
    name: String,
    kind: String,
}

fn collect_actions(
    service: &str,
    facts: &Value,
    profiles: &BTreeMap<String, usize>,
    actions: &mut BTreeMap<String, String>,
) -> Result<(), String> {
    let listed = facts["actions"].as_object().ok_or(format!("`{service}` has no `actions`"))?;
    for (action, facts) in listed {
        let name = well_formed(&format!("{service}:{action}"))?;
        let resources =
            facts["resources"].as_array().ok_or(format!("`{name}` has no `resources`"))?;
        let mark = if resources.is_empty() { " *" } else { "" };
        let profile = profiles.get(action).ok_or(format!("`{name}` has no profile"))?;
        let line = format!("{name}{mark} {profile}\n");
        if let Some(other) = actions.insert(name.to_ascii_lowercase(), line) {
            return Err(format!("`{name}` and `{}` differ only in case", other.trim_end()));
        }
    }
    Ok(())
}

fn collect_keys(
    service: &str,
    facts: &Value,
    candidates: &mut BTreeMap<String, Vec<Candidate>>,
) -> Result<(), String> {
    let listed = facts["condition_keys"]
        .as_object()
        .ok_or(format!("`{service}` has no `condition_keys`"))?;
    for (key, facts) in listed {
        let name = well_formed(&template(key))?;
        let kind = match facts["type"].as_str() {
            Some("String") => "string",
            Some("ArrayOfString") => "string[]",
            Some("ARN") => "arn",
            Some("ArrayOfARN") => "arn[]",
            Some("Bool") => "bool",
            Some("ArrayOfBool") => "bool[]",
            Some("Numeric") => "number",
            Some("Date") => "date",
            Some("IPAddress") => "address",
            other => {
                return Err(format!(
                    "`{key}` of `{service}` has the unknown type `{}`\nhint: map it in \
                     xtask/src/catalogue.rs",
                    other.unwrap_or("null")
                ));
            }
        };
        let candidate = Candidate { service: service.to_owned(), name, kind: kind.to_owned() };
        candidates.entry(candidate.name.to_ascii_lowercase()).or_default().push(candidate);
    }
    Ok(())
}

/// A key with its variable part, if any, as `*`. The reference writes that part as `${TagKey}`,
/// `<key>` or `tag-key`, or ends with the slash before it.
fn template(key: &str) -> String {
    for (open, close) in [("${", '}'), ("<", '>')] {
        if let Some((before, rest)) = key.split_once(open)
            && let Some((_, after)) = rest.split_once(close)
        {
            return format!("{before}*{after}");
        }
    }
    match key.strip_suffix("tag-key").unwrap_or(key) {
        before if before.ends_with('/') => format!("{before}*"),
        _ => key.to_owned(),
    }
}

/// The name itself if the readers of the tables can rely on it: printable ASCII, no space, a
/// colon, at most one variable part.
fn well_formed(name: &str) -> Result<String, String> {
    let sound = name.bytes().all(|byte| byte.is_ascii_graphic())
        && name.contains(':')
        && !name.contains(['$', '{', '}', '<', '>', '#'])
        && name.matches('*').count() <= 1;
    if sound { Ok(name.to_owned()) } else { Err(format!("`{name}` is not a name we can store")) }
}

/// The spelling and kind to believe, by the rule in the comment of this module.
fn believe(found: &[Candidate], notes: &mut Vec<String>) -> (String, String) {
    let owner = |candidate: &&Candidate| {
        candidate.name.strip_prefix(&candidate.service).is_some_and(|rest| rest.starts_with(':'))
    };
    let believed = found
        .iter()
        .find(owner)
        .or_else(|| found.iter().min_by_key(|candidate| &candidate.service))
        .expect("an entry is made with its first candidate");
    for other in found {
        if (&other.name, &other.kind) != (&believed.name, &believed.kind) {
            notes.push(format!(
                "`{}` lists `{}` as {}, `{}` lists `{}` as {}: the first is believed",
                believed.service,
                believed.name,
                believed.kind,
                other.service,
                other.name,
                other.kind
            ));
        }
    }
    (believed.name.clone(), believed.kind.clone())
}

/// The kinds of a row by hand: a sort, which may be followed by `[]`, or [`UNLISTED`].
const SORTS: [&str; 7] = ["string", "arn", "number", "date", "bool", "address", "binary"];
const UNLISTED: &str = "unlisted";

fn is_kind(kind: &str) -> bool {
    kind == UNLISTED || SORTS.contains(&kind.strip_suffix("[]").unwrap_or(kind))
}

fn apply_by_hand(
    by_hand: &str,
    keys: &mut BTreeMap<String, (String, String)>,
    notes: &mut Vec<String>,
) -> Result<(), String> {
    for line in by_hand.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let Some((name, kind)) = line.split_once(' ').filter(|(_, kind)| is_kind(kind)) else {
            return Err(format!(
                "`{line}` is no row of by_hand.txt\nhint: write `KEY KIND`, where KIND is \
                 `{UNLISTED}` or one of {}, with `[]` after it if the key is a list",
                SORTS.join(", ")
            ));
        };
        if kind == UNLISTED {
            let found = keys.remove(&name.to_ascii_lowercase());
            let (_, kind) = found.ok_or(format!("`{name}` is not in the reference anyway"))?;
            notes.push(format!("by_hand.txt leaves out `{name}`, {kind} in the reference"));
            continue;
        }
        let name = well_formed(name)?;
        let row = (name.clone(), kind.to_owned());
        if let Some((old_name, old_kind)) = keys.insert(name.to_ascii_lowercase(), row)
            && (&old_name, old_kind.as_str()) != (&name, kind)
        {
            notes.push(format!(
                "by_hand.txt lists `{name}` as {kind}, the reference `{old_name}` as {old_kind}: \
                 the first is believed"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use keyaki_policy::catalogue as known;
    use serde_json::json;

    use super::*;

    /// The table `file` without its comment, generated from `services` and `by_hand`.
    #[track_caller]
    fn check(services: Value, by_hand: &str, file: &str, expected: &str) {
        let generated = generate(&reference(services), by_hand).unwrap();
        let (_, text) = generated.files.iter().find(|(name, _)| *name == file).unwrap();
        let body: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(body.join("\n"), expected);
    }

    #[track_caller]
    fn check_error(services: Value, by_hand: &str, expected: &str) {
        let message = generate(&reference(services), by_hand).err().unwrap_or_default();
        assert_eq!(message.lines().next(), Some(expected));
    }

    fn reference(services: Value) -> Value {
        json!({ "source": "npm-package 1.2", "date": "2026-01-01", "services": services })
    }

    fn keys(keys: Value) -> Value {
        json!({ "actions": {}, "condition_keys": keys })
    }

    #[test]
    fn the_checked_in_files_are_what_the_chore_generates() {
        let Some(generated) = generate_from_shared().unwrap() else {
            eprintln!("SKIPPED: {REFERENCE} is not beside this working copy");
            return;
        };
        if let Err(message) = compare(&generated) {
            panic!("{message}");
        }
    }

    #[test]
    fn an_action_without_resource_types_is_marked() {
        let actions = json!({ "B": { "resources": [] }, "a": { "resources": [{ "type": "x" }] } });
        let types = json!({ "x": { "arn": "arn:${P}:s:::x" } });
        let services =
            json!({ "s": { "actions": actions, "condition_keys": {}, "resource_types": types } });
        check(services, "", "actions.txt", "s:a 1\ns:B * 0");
    }

    #[test]
    fn actions_share_profiles_of_numbers() {
        let x = json!({ "type": "x", "condition_keys": ["s:k/${T}"] });
        let services = json!({ "s": { "condition_keys": {},
            "actions": {
                "A": { "resources": [x], "condition_keys": ["aws:z"] },
                "B": { "resources": [x], "condition_keys": ["aws:z"] },
                "C": { "resources": [], "condition_keys": [] },
            },
            "resource_types": {
                "a b": { "arn": "arn:${P}:s:::${Y}" },
                "x": { "arn": "arn:${P}:s:${R}::x/${Id}", "condition_keys": ["s:j"] },
            },
        } });
        check(services.clone(), "", "actions.txt", "s:A 0\ns:B 0\ns:C * 1");
        check(services.clone(), "", "profiles.txt", "s:0 1 0,1,2\ns:1 - -");
        let types = "s:a_b arn:*:s:::*\ns:x arn:*:s:*::x/*";
        check(services.clone(), "", "resource_types.txt", types);
        check(services, "", "services.txt", "s aws:z s:j s:k/*");
    }

    #[test]
    fn an_action_of_an_unknown_type_is_an_error() {
        let actions = json!({ "a": { "resources": [{ "type": "x" }] } });
        let services = json!({ "s": { "actions": actions, "condition_keys": {} } });
        check_error(services, "", "`s` has no resource type `x`, which an action of it names");
    }

    #[test]
    fn an_array_has_many_values() {
        let services = json!({ "s": keys(json!({ "s:a": { "type": "ArrayOfARN" } })) });
        check(services, "", "keys.txt", "s:a arn[]");
    }

    #[test]
    fn every_way_to_write_a_variable_part_becomes_a_star() {
        let text = || json!({ "type": "String" });
        let services = json!({ "s": keys(json!({
            "s:a/${TagKey}/z": text(), "s:b/<key>": text(), "s:c/tag-key": text(), "s:d/": text(),
            "s:e:${Name}": text(), "s:f": text(),
        })) });
        let expected = "s:a/*/z string\ns:b/* string\ns:c/* string\ns:d/* string\ns:e:* string";
        check(services, "", "key_templates.txt", expected);
    }

    #[test]
    fn the_service_that_a_key_is_named_after_is_believed() {
        let services = json!({
            "a": keys(json!({ "k:X": { "type": "ArrayOfString" } })),
            "k": keys(json!({ "k:x": { "type": "Bool" } })),
        });
        check(services, "", "keys.txt", "k:x bool");
    }

    #[test]
    fn the_first_service_is_believed_of_a_key_that_is_named_after_none() {
        let services = json!({
            "b": keys(json!({ "k:x": { "type": "Bool" } })),
            "a": keys(json!({ "k:x": { "type": "Numeric" } })),
        });
        check(services, "", "keys.txt", "k:x number");
    }

    #[test]
    fn a_row_by_hand_beats_the_reference() {
        let services = json!({ "s": keys(json!({ "s:a": { "type": "String" } })) });
        check(services, "# why\n\ns:A date[]\n", "keys.txt", "s:A date[]");
    }

    #[test]
    fn a_row_by_hand_leaves_a_key_out() {
        let services = json!({ "s": keys(json!({ "s:a": { "type": "String" } })) });
        check(services, "s:a unlisted", "keys.txt", "");
        check_error(json!({}), "s:a unlisted", "`s:a` is not in the reference anyway");
    }

    #[test]
    fn what_cannot_be_stored_is_an_error() {
        let typed = |kind: &str| json!({ "s": keys(json!({ "s:a": { "type": kind } })) });
        check_error(typed("Float"), "", "`s:a` of `s` has the unknown type `Float`");
        check_error(json!({}), "s:a", "`s:a` is no row of by_hand.txt");
        check_error(json!({}), "s:a text", "`s:a text` is no row of by_hand.txt");
        check_error(json!({}), "a string", "`a` is not a name we can store");
        check_error(json!({}), "s:*/* string", "`s:*/*` is not a name we can store");
        check_error(json!({ "s": {} }), "", "`s` has no `actions`");
    }

    #[test]
    fn every_key_of_the_list_of_global_keys_is_known_with_its_type() {
        let Some(path) = crate::shared("corpus/service_reference/global_condition_keys.json")
        else {
            eprintln!("SKIPPED: the list of global keys is not beside this working copy");
            return;
        };
        let listed: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        for (name, facts) in listed.as_object().unwrap() {
            let found = known::key(&name.replace("${TagKey}", "k")).expect(name);
            let multi = facts["valued"] == "Multivalued";
            assert_eq!(found.cardinality == known::Cardinality::Multi, multi, "{name}");
            let sort = match facts["type"].as_str() {
                None => continue,
                Some("Arn") => known::KeySort::Arn,
                Some("Bool") => known::KeySort::Bool,
                Some("Date") => known::KeySort::Date,
                Some("Ip") => known::KeySort::Address,
                Some("Numeric") => known::KeySort::Number,
                Some(_) => known::KeySort::String,
            };
            assert_eq!(found.sort, sort, "{name}");
        }
    }

    /// Prints the most frequent of the others: see them with `--nocapture`.
    #[test]
    fn ninety_eight_of_a_hundred_keys_in_the_corpus_are_known() {
        let Some(folder) = crate::shared("corpus/policies") else {
            eprintln!("SKIPPED: the corpus is not beside this working copy");
            return;
        };
        let mut uses = BTreeMap::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "jsonl") {
                for line in fs::read_to_string(path).unwrap().lines() {
                    count_keys(&serde_json::from_str(line).unwrap(), &mut uses);
                }
            }
        }
        let total: usize = uses.values().sum();
        let mut unknown: Vec<(usize, String)> = uses
            .into_iter()
            .filter(|(name, _)| known::key(name).is_none())
            .map(|(name, count)| (count, name))
            .collect();
        unknown.sort_by(|a, b| b.cmp(a));
        let n_unknown: usize = unknown.iter().map(|(count, _)| count).sum();
        println!("{n_unknown} of {total} uses are of unknown keys; the most frequent:");
        for (count, name) in unknown.iter().take(30) {
            println!("{count:>5} {name}");
        }
        assert!(total > 0 && n_unknown * 50 < total, "{n_unknown} of {total} are unknown");
    }

    /// Counts the condition keys of every policy in `value`, also of those written as a string.
    fn count_keys(value: &Value, uses: &mut BTreeMap<String, usize>) {
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    if name == "Condition" {
                        let blocks = field.as_object().into_iter().flat_map(|it| it.values());
                        for key in blocks.filter_map(Value::as_object).flat_map(|it| it.keys()) {
                            *uses.entry(key.clone()).or_default() += 1;
                        }
                    }
                    count_keys(field, uses);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| count_keys(item, uses)),
            Value::String(text) if text.starts_with('{') && text.contains("Condition") => {
                if let Ok(policy) = serde_json::from_str(text) {
                    count_keys(&policy, uses);
                }
            }
            _ => {}
        }
    }
}
