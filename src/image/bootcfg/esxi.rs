//! stub
pub struct BootCfg;
pub fn parse(_: &str) -> Option<BootCfg> {
    None
}
impl BootCfg {
    pub fn for_network(&self, _: &str) -> String {
        String::new()
    }
}
