//! A copy of the sources in which mutants are made, so that the sources stay as they are.
//!
//! Only what differs is written, so that cargo builds again what it has to and no more.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The copy.
pub(super) struct Tree {
    /// Where the sources are.
    from: PathBuf,
    /// Where the copy is.
    pub(super) root: PathBuf,
    /// Files of the sources, from their root.
    files: BTreeSet<String>,
    /// What may differ from the sources at present.
    changed: BTreeSet<String>,
}

impl Tree {
    /// What git knows of, or would add, to be copied to `folder/tree` by [`Tree::change`]. What stands there
    /// already is left until then, as a second run makes the same changes.
    pub(super) fn new(from: &Path, folder: &Path) -> Result<Tree, String> {
        let mut git = Command::new("git");
        git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let output = git.current_dir(from).output().map_err(|e| format!("cannot run git: {e}"))?;
        let names = String::from_utf8_lossy(&output.stdout).into_owned();
        let names = names.split('\0').filter(|name| !name.is_empty() && from.join(name).is_file());
        let root = folder.join("tree");
        let files: BTreeSet<String> = names.map(str::to_owned).collect();
        let tree = Tree { from: from.to_owned(), root, changed: files.clone(), files };
        if tree.root.exists() {
            tree.clean(Path::new(""))?;
        }
        // Tests look for it beside the sources.
        let beside = from.join("../shared");
        if let (Ok(beside), false) = (beside.canonicalize(), folder.join("shared").exists()) {
            fs::create_dir_all(folder)
                .map_err(|cause| format!("cannot make {}: {cause}", folder.display()))?;
            std::os::unix::fs::symlink(beside, folder.join("shared"))
                .map_err(|cause| format!("cannot link the shared files: {cause}"))?;
        }
        Ok(tree)
    }

    /// The text of a file as it is in the sources.
    pub(super) fn source(&self, name: &str) -> Result<String, String> {
        let path = self.from.join(name);
        fs::read_to_string(&path)
            .map_err(|cause| format!("cannot read {}: {cause}", path.display()))
    }

    /// Makes these files have these texts, and all others those of the sources.
    pub(super) fn change(&mut self, texts: &BTreeMap<String, String>) -> Result<(), String> {
        let before = std::mem::take(&mut self.changed);
        for name in before.iter().filter(|name| !texts.contains_key(*name)) {
            self.restore(name)?;
        }
        for (name, text) in texts {
            write(&self.root.join(name), text.as_bytes())?;
            self.changed.insert(name.clone());
        }
        Ok(())
    }

    /// Removes what is in a folder and not in the sources, and sets right what is in it.
    pub(super) fn clean(&self, folder: &Path) -> Result<(), String> {
        let wrong = |cause| format!("cannot clean {}: {cause}", self.root.join(folder).display());
        for entry in fs::read_dir(self.root.join(folder)).map_err(wrong)? {
            let entry = entry.map_err(wrong)?;
            let name = folder.join(entry.file_name());
            if entry.file_type().map_err(wrong)?.is_dir() {
                self.clean(&name)?;
            } else if !name.to_str().is_some_and(|name| self.files.contains(name)) {
                fs::remove_file(entry.path()).map_err(wrong)?;
            }
        }
        Ok(())
    }

    fn restore(&self, name: &str) -> Result<(), String> {
        let path = self.from.join(name);
        let bytes = fs::read(&path);
        let bytes = bytes.map_err(|cause| format!("cannot read {}: {cause}", path.display()))?;
        write(&self.root.join(name), &bytes)
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)
        .and_then(|()| fs::File::create(path)?.write_all(bytes))
        .map_err(|cause| format!("cannot write {}: {cause}", path.display()))
}
