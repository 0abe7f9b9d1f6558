
use crate::net::Interface; use crate::dhcp::probe::Answer; use std::time::Duration;
pub const PATIENCE: Duration = Duration::from_secs(4);
#[derive(Clone, Debug)] pub enum Probe { Answered(Vec<Answer>), Nobody, Unable(ProbeError) }
#[derive(Clone, Debug)] pub enum ProbeError { NoRights }
pub async fn other_servers(_: &Interface, _: Duration) -> Probe { Probe::Nobody }
