//! A measurement that is interrupted goes on where it was: nothing is lost and nothing is run twice.

use std::collections::BTreeSet;
use std::fs;

use crate::world::{World, runs};

fn world() -> World {
    World::new(
        &[("a", "(check-sat) ; a"), ("b", "(check-sat) ; b")],
        &[("x", "sat"), ("y", "unsat")],
    )
}

#[test]
fn a_record_that_was_cut_in_half_is_gone_on_with() {
    let world = world();
    let whole = world.measure(&["--runs", "2"]);
    assert_eq!(runs(&whole).len(), 8);
    let path = world.folder.join("record.csv");
    let text = fs::read(&path).unwrap();
    for share in [3, 2] {
        fs::write(&path, &text[..text.len() - text.len() / share]).unwrap();
        let record = world.measure(&["--runs", "2"]);
        let keys: BTreeSet<_> = runs(&record)
            .iter()
            .map(|row| (row.query.clone(), row.solver.clone(), row.run))
            .collect();
        assert_eq!((keys.len(), runs(&record).len()), (8, 8));
        assert!(record.notes.is_empty(), "{:?}", record.notes);
    }
    // What is there is not touched.
    let before = fs::read(&path).unwrap();
    world.measure(&["--runs", "2"]);
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_record_of_another_suite_is_not_gone_on_with() {
    let world = world();
    world.measure(&[]);
    world.write("suite/c.smt2", "(check-sat) ; c");
    assert!(world.run(&["index", "suite"]).status.success());
    let words =
        ["measure", "--suite", "suite", "--solvers", "solvers.toml", "--record", "record.csv"];
    let output = world.run(&words);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("is a record of suite"), "{said}");
}

#[test]
fn a_script_that_was_changed_is_not_measured() {
    let world = world();
    world.write("suite/a.smt2", "(check-sat) ; other");
    let words =
        ["measure", "--suite", "suite", "--solvers", "solvers.toml", "--record", "record.csv"];
    let output = world.run(&words);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("is not the script that the suite has"), "{said}");
}

#[test]
fn solvers_take_turns() {
    let world = world();
    let record = world.measure(&["--runs", "3"]);
    let solvers: Vec<&str> = runs(&record).iter().map(|row| row.solver.as_str()).collect();
    for pair in solvers.chunks(2) {
        assert_ne!(pair[0], pair[1], "{solvers:?}");
    }
}

#[test]
fn a_solver_that_is_not_there_is_skipped_visibly() {
    let world = world();
    let text = fs::read_to_string(world.folder.join("solvers.toml")).unwrap();
    let missing = "[[solver]]\nname = \"gone\"\ncommand = \"keyaki-no-such-program\"\n";
    world.write("solvers.toml", &format!("{text}{missing}"));
    let output = world.run(&["solvers", "--solvers", "solvers.toml"]);
    let (said, told) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(said.contains("x@1.0 (setup ") && said.contains("y@1.0"), "{said}");
    assert_eq!(told, "SKIPPED: gone: there is no program `keyaki-no-such-program`\n");
}
