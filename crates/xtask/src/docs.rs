//! `cargo xtask docs`: the pages that are made from the rulebook.

mod page;

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use crate::process::Failure;
use crate::root;

const FOLDER: &str = "docs/reference";
const INDEX: &str = "rules.md";
const PAGES: &str = "rules";
const STEP: &str = "docs";

/// Writes the pages anew, and removes those that no rule has any more.
pub(crate) fn write() -> Result<(), Failure> {
    write_in(&root().join(FOLDER)).map_err(|error| Failure::new(STEP, format!("{FOLDER}: {error}")))
}

/// Fails when a page is not what the rulebook makes of it, or when no rule has it.
pub(crate) fn check() -> Result<(), Failure> {
    let stale = stale_in(&root().join(FOLDER))
        .map_err(|error| Failure::new(STEP, format!("{FOLDER}: {error}")))?;
    if stale.is_empty() {
        return Ok(());
    }
    let names = stale.join(", ");
    Err(Failure::new(STEP, format!("in {FOLDER}: {names}: run `cargo xtask docs`")))
}

fn write_in(folder: &Path) -> io::Result<()> {
    let pages = pages();
    fs::create_dir_all(folder.join(PAGES))?;
    for surplus in surplus_in(folder, &pages)? {
        fs::remove_file(folder.join(surplus))?;
    }
    for (name, text) in pages {
        fs::write(folder.join(name), text)?;
    }
    Ok(())
}

/// What is wrong, page by page.
fn stale_in(folder: &Path) -> io::Result<Vec<String>> {
    let pages = pages();
    let mut stale = Vec::new();
    for (name, text) in &pages {
        match fs::read_to_string(folder.join(name)) {
            Ok(found) if found == *text => {}
            Ok(_) => stale.push(format!("{name} is out of date")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                stale.push(format!("{name} is missing"));
            }
            Err(error) => return Err(error),
        }
    }
    let surplus = surplus_in(folder, &pages)?;
    stale.extend(surplus.into_iter().map(|name| format!("{name} belongs to no rule")));
    Ok(stale)
}

/// The files beside the rules' pages that no rule has.
fn surplus_in(folder: &Path, pages: &BTreeMap<String, String>) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder.join(PAGES)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut surplus = Vec::new();
    for entry in entries {
        let name = format!("{PAGES}/{}", entry?.file_name().to_string_lossy());
        if !pages.contains_key(&name) {
            surplus.push(name);
        }
    }
    surplus.sort();
    Ok(surplus)
}

/// Every page, by its path in the folder.
fn pages() -> BTreeMap<String, String> {
    let rules = nhs_auth_rules::all();
    let mut pages: BTreeMap<_, _> =
        rules.map(|rule| (format!("{PAGES}/{}.md", rule.id), page::of(rule))).collect();
    pages.insert(INDEX.to_owned(), page::index());
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_as_written_are_not_stale() {
        let folder = tempfile::tempdir().unwrap();
        write_in(folder.path()).unwrap();
        assert_eq!(stale_in(folder.path()).unwrap(), [""; 0]);
    }

    #[test]
    fn a_page_that_is_missing_different_or_surplus_is_named_and_mended() {
        let folder = tempfile::tempdir().unwrap();
        write_in(folder.path()).unwrap();
        fs::remove_file(folder.path().join("rules/A14.md")).unwrap();
        fs::write(folder.path().join("rules/A15.md"), "another").unwrap();
        fs::write(folder.path().join("rules/A99.md"), "a rule of old").unwrap();
        fs::write(folder.path().join("rules.md"), "").unwrap();

        assert_eq!(
            stale_in(folder.path()).unwrap(),
            [
                "rules.md is out of date",
                "rules/A14.md is missing",
                "rules/A15.md is out of date",
                "rules/A99.md belongs to no rule",
            ]
        );

        write_in(folder.path()).unwrap();
        assert_eq!(stale_in(folder.path()).unwrap(), [""; 0]);
    }

    #[test]
    fn every_link_between_the_pages_leads_to_a_page() {
        let pages = pages();
        for (name, text) in &pages {
            for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                let target = match link.strip_prefix("../") {
                    Some(up) => up.to_owned(),
                    None if name.starts_with(PAGES) && !link.starts_with(PAGES) => {
                        format!("{PAGES}/{link}")
                    }
                    None => link.to_owned(),
                };
                assert!(pages.contains_key(&target), "{name} leads to {link}");
            }
        }
    }
}
