//! Audits: whoever lies is found out, there is no verdict then, and what is known of it is kept.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::fakes::{BOGUS, CLAIMS_UNSAT, den};
use crate::program::{Den, Run, UNLIKELY, has_solver, installed};

const CHECK: &str = "check no-public-access public.json --config fakes.toml --json --audit";

/// What is kept of an incident, which has no verdict: where, and what is told of it. The policy is [`UNLIKELY`], unless it is another.
#[track_caller]
fn kept(den: &Den, result: &Value, code: &str) -> (PathBuf, Value) {
    assert_eq!(result["error"]["code"], code, "{result}");
    for of_answer in ["verdict", "witness", "findings", "coverage", "bucket", "evidence"] {
        assert!(result.get(of_answer).is_none(), "{result}");
    }
    let place = den.path().join(result["incident"].as_str().expect("a place"));
    let told = fs::read_to_string(place.join("incident.json")).unwrap();
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["result"]["error"]["code"], code);
    let query = fs::read_to_string(place.join("query.txt")).unwrap();
    assert!(query.starts_with("part ") && query.contains("var text \"action.name\""), "{query}");
    let hash = told["query_sha256"].as_str().unwrap();
    let name = place.file_name().unwrap().to_str().unwrap();
    assert_eq!(name, format!("{}-{code}", &hash[..16]));
    (place, told)
}

/// What a solver read, or said, of the last query.
fn of_query(place: &Path, end: &str) -> String {
    fs::read_to_string(place.join(format!("queries/0{end}"))).unwrap()
}

/// An audit with a solver that lies about a policy and one that does not: what is kept of it, the fake's answer and the other's.
#[track_caller]
fn incident(den: &Den, run: &Run, code: &str) -> (Value, String, String) {
    assert_eq!(run.status, 2);
    let (place, told) = kept(den, &run.result(), code);
    assert_eq!(
        (&told["question"], &told["task"]),
        (&"no-public-access".into(), &"question".into())
    );
    let versions = told["versions"].as_array().unwrap();
    assert!(versions.iter().any(|version| version["solver"] == installed()[0]
        && version["version"].as_str().is_some_and(|version| !version.is_empty())));
    let policy = place.join(told["policies"][0]["file"].as_str().unwrap());
    assert_eq!(fs::read_to_string(policy).unwrap(), UNLIKELY);
    assert!(fs::read_to_string(place.join("question.txt")).unwrap().contains("NoPublicAccess"));
    let script = of_query(&place, &format!("-{}.smt2", installed()[0]));
    let query = of_query(&place, ".txt");
    assert!(script.contains("(check-sat)") && query.contains("assert "), "{script}");
    let said = |solver: &str| of_query(&place, &format!("-{solver}.txt"));
    (told, said("fake"), said(installed()[0]))
}

fn run(den: &Den) -> Run {
    den.keyaki(&format!("{CHECK} --solver fake --solver {}", installed()[0]))
}

#[test]
fn contradictory_answers_are_an_incident() {
    if !has_solver() {
        return;
    }
    let den = den(&[("fake", CLAIMS_UNSAT)]);
    let (told, fake, real) = incident(&den, &run(&den), "contradiction");
    assert_eq!(fake, "unsat\n");
    assert!(real.starts_with("sat\n") && real.contains("action.service = "), "{real}");
    // Who is right can be seen: the model of the other is a request that breaks the property.
    let replays = told["replays"].as_array().unwrap();
    assert_eq!(replays.len(), 1, "{told:#}");
    assert_eq!(replays[0]["solver"], installed()[0]);
    assert!(replays[0]["replay"].as_str().unwrap().starts_with("Confirmed"), "{told:#}");
    assert!(replays[0]["request"]["action"].is_string());
    // In words, and in another place.
    let check = CHECK.replace(" --json", " --incidents elsewhere");
    let run = den.keyaki(&format!("{check} --solver fake --solver {}", installed()[0]));
    assert_eq!((run.status, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("kept in elsewhere/"), "{}", run.stderr);
    assert!(den.path().join("elsewhere").is_dir());
}

#[test]
fn a_model_that_is_none_is_an_incident() {
    if !has_solver() {
        return;
    }
    let den = den(&[("fake", BOGUS)]);
    let (told, fake, _) = incident(&den, &run(&den), "wrong-answer");
    assert!(fake.starts_with("sat\n"), "{fake}");
    let replays = told["replays"].as_array().unwrap();
    let of_fake = replays.iter().find(|replay| replay["solver"] == "fake").unwrap();
    assert!(of_fake["replay"].as_str().unwrap().starts_with("Refuted"), "{of_fake}");
}

/// Jobs about [`UNLIKELY`] that are no questions of their own: each with the question that solvers are asked, and the number of
/// policies that it is about.
pub(crate) fn tasks() -> [(Value, &'static str, usize); 3] {
    let policy: Value = serde_json::from_str(UNLIKELY).unwrap();
    let mut of_user = policy.clone();
    of_user["Statement"][0].as_object_mut().unwrap().remove("Principal");
    let arn = "arn:aws:iam::111122223333:user/a";
    [
        (
            json!({"question": "findings", "policy": policy,
                "trust": {"accounts": ["111122223333"]}}),
            "no-external-access",
            1,
        ),
        (json!({"question": "bucket", "policy": policy}), "no-public-access", 1),
        (
            json!({"question": "who-can", "resource_account": "111122223333",
                "principals": [{"arn": arn, "identity": [of_user.clone()], "boundary": of_user}],
                "policies": {"scp": [[{"Version": "2012-10-17", "Statement": {"Effect": "Allow",
                    "Action": "*", "Resource": "*"}}]]},
                "access": [{"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::b/k"]}]}),
            "custom",
            3,
        ),
    ]
}

/// The incident of such a job: who is right can be seen.
#[track_caller]
fn check_task(den: &Den, result: &Value, task: &str, question: &str, n_policies: usize) {
    let (place, told) = kept(den, result, "contradiction");
    let task = if task == "bucket" { "question" } else { task };
    assert_eq!((&told["task"], &told["question"]), (&task.into(), &question.into()));
    let policies = told["policies"].as_array().unwrap();
    assert_eq!(policies.len(), n_policies, "{told:#}");
    let policy = fs::read_to_string(place.join(policies[0]["file"].as_str().unwrap())).unwrap();
    assert!(policy.contains("aexamplec"), "{policy}");
    assert_eq!(of_query(&place, "-fake.txt"), "unsat\n");
    let replays = told["replays"].as_array().unwrap();
    assert!(replays[0]["replay"].as_str().unwrap().starts_with("Confirmed"), "{told:#}");
    assert!(!result["attempts"].as_array().unwrap().is_empty(), "{result}");
}

#[test]
fn tasks_of_several_questions_have_incidents_too() {
    if !has_solver() {
        return;
    }
    let real = installed()[0];
    for (job, question, n_policies) in tasks() {
        let task = job["question"].as_str().unwrap();
        let arguments = match task {
            "findings" => "public.json --trust-account 111122223333",
            _ => "job.json",
        };
        let asked =
            format!("{task} {arguments} --config fakes.toml --audit --solver fake --solver {real}");
        let den = den(&[("fake", CLAIMS_UNSAT)]);
        den.write("job.json", job.to_string());
        let run = den.keyaki(&format!("{asked} --json"));
        assert_eq!(run.status, 2);
        check_task(&den, &run.result(), task, question, n_policies);
        let run = den.keyaki(&asked);
        assert_eq!((run.status, run.stdout.as_str()), (2, ""));
        assert!(run.stderr.contains("kept in keyaki-incidents/"), "{}", run.stderr);
        // Without a lie there is an answer, and nothing is kept.
        let honest = asked.replace("--solver fake ", "--incidents none --json ");
        assert_eq!(den.keyaki(&honest).result()["verdict"], "fails", "{task}");
        assert!(!den.path().join("none").exists());
    }
}

#[test]
fn a_model_that_is_none_is_an_incident_of_rows_too() {
    if !has_solver() {
        return;
    }
    let den = den(&[("fake", BOGUS)]);
    let asked =
        "findings public.json --trust-account 111122223333 --config fakes.toml --json --audit";
    let run = den.keyaki(&format!("{asked} --solver fake --solver {}", installed()[0]));
    assert_eq!(run.status, 2);
    kept(&den, &run.result(), "wrong-answer");
}

#[test]
fn what_cannot_be_kept_is_an_error_all_the_same() {
    if !has_solver() {
        return;
    }
    let den = den(&[("fake", CLAIMS_UNSAT)]);
    den.write("keyaki-incidents", "a file");
    let run = run(&den);
    let result = run.result();
    assert_eq!((run.status, &result["error"]["code"]), (2, &"contradiction".into()));
    let hint = result["error"]["hint"].as_str().unwrap();
    assert!(hint.contains("cannot be kept in `keyaki-incidents`"), "{hint}");
    assert!(result.get("incident").is_none());
}

#[test]
fn an_audit_without_disagreement_keeps_nothing() {
    if !has_solver() {
        return;
    }
    let den = den(&[]);
    let run = den.keyaki(&CHECK.replace(" --config fakes.toml", ""));
    assert_eq!((run.status, &run.result()["verdict"]), (1, &"fails".into()));
    assert!(!den.path().join("keyaki-incidents").exists());
}

/// That nothing is tagged otherwise than with nothing or something holds, which texts do not tell.
fn tagged() -> Value {
    let policy = |values: &[&str]| {
        json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*",
            "Resource": "*", "Condition": {"StringLike": {"aws:PrincipalTag/a": values}}}})
    };
    json!({"id": "tagged", "question": "no-new-access", "policy_type": "identity",
        "existing": policy(&["", "?*"]), "new": policy(&["*"])})
}

/// A public policy, which no likely request shows.
fn unlikely() -> Value {
    let policy: Value = serde_json::from_str(UNLIKELY).unwrap();
    json!({"id": "unlikely", "question": "no-public-access", "policy": policy})
}

/// The results of jobs.
fn batch(den: &Den, arguments: &str, jobs: &[Value]) -> Run {
    let lines: String = jobs.iter().map(|job| format!("{job}\n")).collect();
    den.keyaki_reading(&format!("batch --config fakes.toml {arguments}"), lines)
}

#[test]
fn what_an_external_solver_claims_is_proved_or_said_by_another_or_claimed() {
    let evidence = |fakes: &[(&str, &str)], job: Value| {
        let result = batch(&den(fakes), "", &[job]).result();
        assert_eq!(result["verdict"], "holds", "{result}");
        assert!(result.get("certificate").is_none() && result.get("uncertified").is_none());
        result["evidence"].as_str().unwrap().to_owned()
    };
    let (one, other) = (("one", CLAIMS_UNSAT), ("other", CLAIMS_UNSAT));
    assert_eq!(evidence(&[one], tagged()), "certified");
    // Of what is not so there is no proof.
    assert_eq!(evidence(&[one], unlikely()), "claimed");
    assert_eq!(evidence(&[one, other], unlikely()), "agreed");
    assert_eq!(evidence(&[one, ("shrugs", "cat >/dev/null; echo unknown")], unlikely()), "claimed");
    // Who names a solver wants to see what it says.
    let den = den(&[one]);
    let run = batch(&den, "--solver one", &[tagged()]);
    assert_eq!(run.result()["evidence"], "claimed");
}

#[test]
fn a_proof_that_another_program_accepts_is_evidence() {
    let result = |says: &str| {
        let den = den(&[("one", CLAIMS_UNSAT)]);
        den.write("proves.sh", "cat >/dev/null; echo unsat; echo '((step))'");
        den.write("checks.sh", format!("grep -q '^(step)$' && grep -q '^(assert' $1 && {says}"));
        let checked = "dialect = \"smtlib-2.6\"\nproof_arguments = [\"proves.sh\"]\n\
            proof_checker = [\"sh\", \"checks.sh\", \"{script}\"]";
        let config = den.read("fakes.toml").replace("dialect = \"smtlib-2.6\"", checked);
        den.write("fakes.toml", config);
        batch(&den, "", &[unlikely()]).result()
    };
    let proved = result("echo correct");
    assert_eq!((&proved["evidence"], &proved["checker"]), (&"certified".into(), &"sh".into()));
    crate::program::check_against_schema("JobResult", &proved);
    let unproved = result("echo incorrect");
    assert_eq!(unproved["evidence"], "claimed");
    assert!(unproved.get("checker").is_none(), "{unproved}");
}

#[test]
fn a_claim_that_another_solver_refutes_is_no_answer() {
    if !has_solver() {
        return;
    }
    let den = den(&[("fake", CLAIMS_UNSAT)]);
    let disabled = format!("name = \"{}\"\nenabled = false", installed()[0]);
    let enabled = disabled.replace("false", "true");
    den.write("fakes.toml", den.read("fakes.toml").replace(&disabled, &enabled));
    let result = batch(&den, "", &[unlikely()]).result();
    // Unless the other was faster.
    let is_right = result["verdict"] == "fails";
    assert!(is_right || result["error"]["code"] == "contradiction", "{result}");
}

#[test]
fn a_share_of_questions_is_audited() {
    if !has_solver() {
        return;
    }
    let den = den(&[("fake", CLAIMS_UNSAT), ("other", CLAIMS_UNSAT)]);
    let config = den.read("fakes.toml");
    den.write("fakes.toml", config.replacen("enabled = false", "enabled = true", 1));
    let run = batch(&den, "--audit-share 0 --solver fake", &[unlikely()]);
    assert_eq!(run.result()["verdict"], "holds");
    let run = batch(&den, "--audit-share 1", &[unlikely(), tagged()]);
    let results = run.results();
    assert_eq!((run.status, &results[0]["error"]["code"]), (2, &"contradiction".into()));
    assert!(den.path().join(results[0]["incident"].as_str().unwrap()).is_dir());
    assert_eq!(
        (&results[1]["verdict"], &results[1]["evidence"]),
        (&"holds".into(), &"agreed".into())
    );
    let jobs = tasks().map(|(job, ..)| job);
    for result in batch(&den, "--audit-share 1 --attempts", &jobs).results() {
        kept(&den, &result, "contradiction");
    }
    let run = batch(&den, "--audit-share 1.5", &[]);
    assert!(run.status == 2 && run.stderr.contains("a share is a number from 0 to 1"));
}

#[test]
fn batch_certifies_whatever_holds_and_tells_what_it_could_not() {
    let den = den(&[]);
    let config = den.read("fakes.toml");
    den.write("fakes.toml", config.replacen("enabled = false", "enabled = true", 1));
    let mut wanted = tagged();
    wanted["certificate"] = json!(true);
    let bucket = json!({"id": "bucket", "question": "bucket"});
    let run = batch(&den, "--certify", &[tagged(), wanted, unlikely(), bucket]);
    let results = run.results();
    assert_eq!(results[0]["evidence"], "certified");
    assert!(results[0].get("certificate").is_none());
    let text = results[1]["certificate"].as_str().expect("it was asked for");
    assert!(keyaki_verify::verify(text.as_bytes()).is_ok());
    assert_eq!(
        (&results[2]["verdict"], &results[2]["evidence"]),
        (&"fails".into(), &"replayed".into())
    );
    assert_eq!(results[3]["verdict"], "holds", "{}", results[3]);
    let said = "certified 2 of 3 that hold\nnot certified: bucket: no certificate of such a task\n";
    assert_eq!(run.stderr, said);
    let usual = batch(&den, "", &[tagged()]);
    assert_eq!((&usual.result()["evidence"], usual.stderr.as_str()), (&"claimed".into(), ""));
}
