//! The command line.

use crate::measuring::Outcome;
use crate::measuring::clock::Plan;

/// What the command line asks for.
pub(crate) struct Arguments {
    /// Parts of names of cases; all cases if there are none.
    cases: Vec<String>,
    /// The names of the libraries, the one that the others are compared with first; all if
    /// there are none.
    libraries: Vec<String>,
    pub(crate) plan: Plan,
}

impl Arguments {
    pub(crate) fn parse() -> Outcome<Self> {
        let mut words = std::env::args().skip(1);
        let mut arguments = Self {
            cases: Vec::new(),
            libraries: Vec::new(),
            plan: Plan::default(),
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            match word.as_str() {
                // Cargo says so to every bench.
                "--bench" => {}
                "--rounds" => arguments.plan.rounds = value()?.parse()?,
                "--milliseconds" => arguments.plan.milliseconds = value()?.parse()?,
                "--libraries" => {
                    arguments.libraries = value()?.split(',').map(str::to_owned).collect();
                }
                option if option.starts_with('-') => {
                    return Err(format!("what is {option}?").into());
                }
                _ => arguments.cases.push(word),
            }
        }
        Ok(arguments)
    }

    pub(crate) fn wants(&self, case: &str) -> bool {
        self.cases.is_empty() || self.cases.iter().any(|part| case.contains(part))
    }

    /// Those libraries of a case that are asked for, in the order asked for. Which ones there are
    /// depends on the case, so one that is not there is passed over.
    pub(crate) fn choose<L>(&self, mut all: Vec<L>, name: impl Fn(&L) -> &'static str) -> Vec<L> {
        if self.libraries.is_empty() {
            return all;
        }
        let mut chosen = Vec::new();
        for wanted in &self.libraries {
            let at = all.iter().position(|library| name(library) == wanted);
            chosen.extend(at.map(|at| all.remove(at)));
        }
        chosen
    }
}
