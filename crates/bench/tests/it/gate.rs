//! The gate, and what cannot be compared.

use crate::world::{World, runs};

const EASY: (&str, &str) = ("easy", "(check-sat) ; easy");

fn gate(world: &World, more: &[&str]) -> (Option<i32>, String) {
    let words = ["gate", "record.csv", "--old", "old", "--new", "new", "--suite", "suite"];
    let output = world.run(&[&words, more].concat());
    let said =
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (output.status.code(), said)
}

#[test]
fn what_is_as_good_is_let_through() {
    let world = World::new(&[EASY], &[("old", "old"), ("new", "new")]);
    world.measure(&[]);
    let (status, said) = gate(&world, &["--solvers", "solvers.toml", "--allow-slower"]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("open: old@1.0 to new@1.0: 1 same"), "{said}");
}

#[test]
fn a_lost_query_is_measured_again_and_told_with_how_to_replay_it() {
    let world = World::new(&[EASY, ("b", "(check-sat) ; slow")], &[("old", "old"), ("new", "new")]);
    world.measure(&[]);
    let (status, said) = gate(&world, &["--solvers", "solvers.toml", "--allow-slower"]);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("closed: old@1.0 to new@1.0: 1 lost, 1 same"), "{said}");
    assert!(said.contains("new: walltime after 1.5") && said.contains("(0 of 3 runs)"), "{said}");
    assert!(said.contains("fake.sh new suite/b.smt2"), "{said}");
    assert_eq!(runs(&world.record()).len(), 4 + 4);
    // It has been measured often enough now.
    gate(&world, &["--solvers", "solvers.toml", "--allow-slower"]);
    assert_eq!(runs(&world.record()).len(), 4 + 4);
}

#[test]
fn what_is_measured_again_can_be_left_for_another_time() {
    let world = World::new(&[EASY, ("b", "(check-sat) ; slow")], &[("old", "old"), ("new", "new")]);
    world.measure(&[]);
    let words = ["--solvers", "solvers.toml", "--allow-slower"];
    let (status, said) = gate(&world, &[&words[..], &["--minutes", "0"]].concat());
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("time is up, 1 queries have fewer than 3 runs"), "{said}");
    assert_eq!(runs(&world.record()).len(), 4);
    // Without the bound it goes on where it was.
    let (_, said) = gate(&world, &words);
    assert!(!said.contains("time is up") && said.contains("(0 of 3 runs)"), "{said}");
    assert_eq!(runs(&world.record()).len(), 4 + 4);
}

#[test]
fn what_is_solved_the_second_time_is_unstable_and_not_lost() {
    let world =
        World::new(&[EASY, ("b", "(check-sat) ; shaky")], &[("old", "old"), ("new", "shaky")]);
    world.measure(&[]);
    let (status, said) = gate(&world, &["--solvers", "solvers.toml", "--allow-slower"]);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("1 unstable, 1 same") && said.contains("(2 of 3 runs)"), "{said}");
    let (status, said) = gate(&world, &["--allow-unstable", "--allow-slower"]);
    assert_eq!(status, Some(0), "{said}");
}

#[test]
fn a_contradiction_closes_the_gate_whoever_is_right() {
    let world =
        World::new(&[EASY, ("b", "(check-sat) ; contested")], &[("old", "old"), ("new", "new")]);
    world.measure(&[]);
    let (status, said) = gate(&world, &["--allow-slower"]);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("contradiction: 1"), "{said}");
}

#[test]
fn a_wrong_answer_is_a_contradiction_with_the_suite() {
    let world = World::new(
        &[EASY, ("b", "(set-info :status unsat)(check-sat)")],
        &[("old", "old"), ("new", "new")],
    );
    world.measure(&[]);
    let (status, said) = gate(&world, &["--allow-slower"]);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("known: unsat, by given"), "{said}");
}

#[test]
fn records_of_different_suites_are_refused() {
    let world = World::new(&[EASY], &[("old", "old"), ("new", "new")]);
    world.measure(&[]);
    let other = World::new(&[("x", "(check-sat) ; x")], &[("old", "old"), ("new", "new")]);
    other.measure(&[]);
    let second = other.folder.join("record.csv").display().to_string();
    let two = ["--old", "old", "--new", "new"];
    let verbs: [(&str, &[&str]); 6] = [
        ("cmp", &two),
        ("gate", &two),
        ("rank", &[]),
        ("check", &[]),
        ("learn", &[]),
        ("report", &["--out", "out"]),
    ];
    for (verb, more) in verbs {
        let output = world.run(&[&[verb, "record.csv", &second], more].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{verb}: {said}");
        assert!(said.contains("records of different suites"), "{verb}: {said}");
        // Nor is what is known of one suite held against a record of the other.
        let suite = other.folder.join("suite").display().to_string();
        let output = world.run(&[&[verb, "record.csv", "--suite", &suite], more].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{verb}: {said}");
        assert!(said.contains("the record is of suite"), "{verb}: {said}");
    }
    assert!(!world.folder.join("out").exists());
}

#[test]
fn what_had_other_limits_is_not_compared() {
    let world = World::new(&[EASY], &[("old", "old"), ("new", "new")]);
    world.measure(&["--solver", "old"]);
    world.rewrite("solvers.toml", "wall_ms = 1500", "wall_ms = 1600");
    world.measure(&["--solver", "new"]);
    let output = world.run(&["cmp", "record.csv", "--old", "old", "--new", "new"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("the old one had 1.5 s") && said.contains("the new one 1.6 s"), "{said}");
}

#[test]
fn a_record_that_was_cut_is_compared_as_far_as_it_goes_and_the_rest_is_missing() {
    let world = World::new(&[EASY, ("b", "(check-sat) ; b")], &[("old", "old"), ("new", "new")]);
    world.measure(&[]);
    let path = world.folder.join("record.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &text[..text.len() - 20]).unwrap();
    let output = world.run(&["cmp", "record.csv", "--old", "old", "--new", "new"]);
    let (said, told) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(told.contains("is cut off: its last line does not end, and is left out"), "{told}");
    assert!(said.contains("missing              1"), "{said}");
    assert_eq!(gate(&world, &["--allow-slower"]).0, Some(1));
}

#[test]
fn a_ranking_is_of_what_all_were_asked() {
    let world = World::new(&[EASY, ("b", "(check-sat) ; slow")], &[("old", "old"), ("new", "new")]);
    world.measure(&[]);
    let output = world.run(&["rank", "record.csv"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with("2 queries that all were asked"), "{said}");
    assert!(said.contains("virtual best") && said.contains("old@1.0"), "{said}");
}
