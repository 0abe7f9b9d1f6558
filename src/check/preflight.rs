
use super::*;
use std::path::PathBuf; use std::sync::Arc;
use crate::deployment::*; use crate::net::Interface; use crate::image::*;
#[derive(Debug)]
pub struct Facts { pub interface: Option<Interface>, pub mode: DhcpMode, pub plan: Result<Plan, PlanError>, pub ports: Vec<crate::net::survey::PortState>, pub rights: Rights,
 pub loaders: crate::boot::loader::Loaders, pub images: Vec<(PathBuf, Result<Inspection, Arc<DiscError>>)>, pub probe: crate::engine::probe::Probe, pub state: Result<(), (PathBuf, String)> }
pub fn preflight(_: &Facts) -> Vec<Finding> { vec![] }
