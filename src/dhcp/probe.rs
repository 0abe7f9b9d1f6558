
#[derive(Clone, Debug)] pub struct Answer { pub server: std::net::Ipv4Addr }
impl Answer { pub fn from_server(server: std::net::Ipv4Addr) -> Answer { Answer { server } } }
