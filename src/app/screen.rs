//! The five steps.

pub mod check;
pub mod images;
pub mod menu;
pub mod network;
pub mod serve;

/// A step of the wizard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Where the computers are.
    Network,
    /// What they may boot.
    Images,
    /// What they show.
    Menu,
    /// What could stop it.
    Check,
    /// The running services.
    Serve,
}

impl Step {
    /// All of them, in their order.
    pub const ALL: [Step; 5] = [Step::Network, Step::Images, Step::Menu, Step::Check, Step::Serve];

    /// Its name on the rail.
    pub fn name(self) -> &'static str {
        match self {
            Step::Network => "Network",
            Step::Images => "Images",
            Step::Menu => "Menu",
            Step::Check => "Check",
            Step::Serve => "Serve",
        }
    }

    /// Its number for people, and for Ctrl with a digit.
    pub fn number(self) -> &'static str {
        match self {
            Step::Network => "1",
            Step::Images => "2",
            Step::Menu => "3",
            Step::Check => "4",
            Step::Serve => "5",
        }
    }

    /// The step before.
    pub fn before(self) -> Option<Step> {
        Step::ALL.into_iter().rev().find(|step| *step < self)
    }

    /// The step behind.
    pub fn after(self) -> Option<Step> {
        Step::ALL.into_iter().find(|step| *step > self)
    }
}
