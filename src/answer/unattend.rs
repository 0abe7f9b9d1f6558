//! Answer files of Windows Setup (Microsoft's "Unattended Windows Setup Reference").

use roxmltree::Node;

use super::fault::{self, Fault, MAX_FAULTS, instead, nearest};
use super::xml;
use crate::text;

const NAMESPACE: &str = "urn:schemas-microsoft-com:unattend";
/// The passes of Windows Setup, in their order.
const PASSES: [&str; 7] =
    ["windowsPE", "offlineServicing", "generalize", "specialize", "auditSystem", "auditUser", "oobeSystem"];
/// Components that answer files for clients and servers use. There are others, of roles and drivers.
const COMPONENTS: [&str; 32] = [
    "Microsoft-Windows-Setup",
    "Microsoft-Windows-International-Core-WinPE",
    "Microsoft-Windows-International-Core",
    "Microsoft-Windows-Shell-Setup",
    "Microsoft-Windows-Deployment",
    "Microsoft-Windows-PnpCustomizationsWinPE",
    "Microsoft-Windows-PnpCustomizationsNonWinPE",
    "Microsoft-Windows-PnpSysprep",
    "Microsoft-Windows-UnattendedJoin",
    "Microsoft-Windows-TCPIP",
    "Microsoft-Windows-DNS-Client",
    "Microsoft-Windows-NetBT",
    "Microsoft-Windows-TerminalServices-LocalSessionManager",
    "Microsoft-Windows-TerminalServices-RDP-WinStationExtensions",
    "Networking-MPSSVC-Svc",
    "Microsoft-Windows-LUA-Settings",
    "Microsoft-Windows-Security-SPP",
    "Microsoft-Windows-Security-SPP-UX",
    "Microsoft-Windows-SQMApi",
    "Microsoft-Windows-IE-InternetExplorer",
    "Microsoft-Windows-IE-ESC",
    "Microsoft-Windows-SystemRestore-Main",
    "Microsoft-Windows-ServerManager-SvrMgrNc",
    "Microsoft-Windows-OutOfBoxExperience",
    "Microsoft-Windows-ErrorReportingCore",
    "Microsoft-Windows-powercpl",
    "Microsoft-Windows-RemoteAssistance-Exe",
    "Microsoft-Windows-SecureStartup-FilterDriver",
    "Microsoft-Windows-EnhancedStorage-Adm",
    "Microsoft-Windows-WinRE-RecoveryAgent",
    "Microsoft-Windows-TPM-Tasks",
    "Security-Malware-Windows-Defender",
];
/// Processors that components are for.
const PROCESSORS: [&str; 5] = ["amd64", "x86", "arm64", "wow64", "ia64"];
/// Attributes without which Setup does not know a component, with what stands in all of them.
const ATTRIBUTES: [(&str, &str); 3] =
    [("publicKeyToken", "31bf3856ad364e35"), ("language", "neutral"), ("versionScope", "nonSxS")];

pub(super) fn check(source: &str) -> Vec<Fault> {
    let mut faults: Vec<Fault> = xml::encoding(source).into_iter().collect();
    let document = match xml::parse(source) {
        Ok(document) => document,
        Err(fault) => return vec![fault],
    };
    let root = document.root_element();
    faults.extend(namespace(root));
    let settings = root.children().filter(|node| node.tag_name().name() == "settings");
    let components = |settings: Node<'_, '_>| {
        let components = settings.children().filter(|node| node.tag_name().name() == "component");
        let of_components = components.flat_map(|component| [name(component), attributes(component)]);
        [pass(settings)].into_iter().chain(of_components).flatten().take(MAX_FAULTS).collect::<Vec<_>>()
    };
    let passwords = document.descendants().filter_map(password);
    // A line is found by counting, so no more than are told.
    faults.extend(settings.flat_map(components).chain(passwords).take(MAX_FAULTS));
    faults
}

fn namespace(root: Node<'_, '_>) -> Option<Fault> {
    let name = root.tag_name();
    if name.name() != "unattend" {
        let what =
            format!("The file begins with `{}`, and an answer file with `unattend`.", text::plain(name.name(), 60));
        return Some(Fault::error(xml::line(root), what, "Choose another file."));
    }
    let next_step = format!("Write <unattend xmlns=\"{NAMESPACE}\">.");
    (name.namespace() != Some(NAMESPACE)).then(|| {
        Fault::error(xml::line(root), "The answer file does not have its namespace: Setup ignores it.", next_step)
    })
}

fn pass(settings: Node<'_, '_>) -> Option<Fault> {
    let pass = settings.attribute("pass").unwrap_or_default();
    if PASSES.contains(&pass) {
        return None;
    }
    let near = nearest(pass, PASSES).map(|near| format!("Did you mean `{near}`? ")).unwrap_or_default();
    let what = format!("`{}` is no pass of Windows Setup.", text::plain(pass, 60));
    Some(Fault::error(xml::line(settings), what, format!("{near}There are {}.", PASSES.join(", "))))
}

/// There are hundreds of components; what is told is a name that none of them can have, or that is near to a usual one.
fn name(component: Node<'_, '_>) -> Option<Fault> {
    let name = component.attribute("name").unwrap_or_default();
    let is_usual = ["Microsoft-", "Networking-", "Security-", "Windows-"].iter().any(|start| name.starts_with(start));
    if COMPONENTS.contains(&name) || is_usual && nearest(name, COMPONENTS).is_none() {
        return None;
    }
    let what = match name {
        "" => "The component has no name.".to_owned(),
        _ => format!("`{}` is no component that is known.", text::plain(name, 80)),
    };
    Some(Fault::warning(xml::line(component), what, instead(name, COMPONENTS)))
}

fn attributes(component: Node<'_, '_>) -> Option<Fault> {
    let line = xml::line(component);
    let processor = component.attribute("processorArchitecture").unwrap_or_default();
    if !PROCESSORS.contains(&processor) {
        let what = format!("`{}` is no processor: Setup ignores the component.", text::plain(processor, 60));
        return Some(Fault::error(line, what, "Write processorArchitecture=\"amd64\", or x86 or arm64."));
    }
    let missing = ATTRIBUTES.iter().find(|(name, _)| component.attribute(*name).is_none());
    let (name, value) = missing?;
    let what = format!("The component has no `{name}`: Setup ignores it.");
    Some(Fault::error(line, what, format!("Add {name}=\"{value}\".")))
}

/// Windows takes passwords in clear text, or in Base64, which hides nothing.
fn password(node: Node<'_, '_>) -> Option<Fault> {
    let names = ["Password", "AdministratorPassword"];
    let value = names.contains(&node.tag_name().name()).then(|| xml::child(node, "Value").unwrap_or(node))?;
    if value.text().unwrap_or_default().trim().is_empty() {
        return None;
    }
    let is_plain =
        xml::child(node, "PlainText").and_then(|plain| plain.text()).is_none_or(|plain| plain.trim() == "true");
    let what = if is_plain { fault::CLEAR } else { fault::BASE64 };
    let next_step = "Windows knows no other way: change it after the installation, or let the computer join a domain.";
    Some(Fault::warning(xml::line(value), what, next_step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::kind;
    use crate::image::AnswerKind;

    const GOOD: &str = "\
<?xml version=\"1.0\" encoding=\"utf-8\"?>
<unattend xmlns=\"urn:schemas-microsoft-com:unattend\" xmlns:wcm=\"http://schemas.microsoft.com/WMIConfig/2002/State\">
  <settings pass=\"windowsPE\">
    <component name=\"Microsoft-Windows-Setup\" processorArchitecture=\"amd64\" publicKeyToken=\"31bf3856ad364e35\" language=\"neutral\" versionScope=\"nonSxS\">
      <RunSynchronous><RunSynchronousCommand wcm:action=\"add\"><Order>1</Order></RunSynchronousCommand></RunSynchronous>
      <UserData><ProductKey><Key>AAAAA-BBBBB</Key><WillShowUI>OnError</WillShowUI></ProductKey></UserData>
    </component>
  </settings>
</unattend>
";

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let account = "<Password>\n<Value>hunter2</Value><PlainText>true</PlainText></Password>";
        let hidden =
            "<AdministratorPassword><Value>aHVudGVyMg==</Value><PlainText>false</PlainText></AdministratorPassword>";
        let cases = [
            ("", "", ""),
            (" xmlns:wcm=\"http://schemas.microsoft.com/WMIConfig/2002/State\"", "", "5 It is no XML: "),
            ("urn:schemas-microsoft-com:unattend", "urn:x", "2 The answer file does not have its namespace"),
            (
                "windowsPE",
                "WindowsPe",
                "3 `WindowsPe` is no pass of Windows Setup. Did you mean `windowsPE`? There are windowsPE, offlineServicing",
            ),
            (
                "Microsoft-Windows-Setup",
                "Microsoft-Window-Setup",
                "4 `Microsoft-Window-Setup` is no component that is known. Did you mean `Microsoft-Windows-Setup`?",
            ),
            ("Microsoft-Windows-Setup", "Microsoft-Windows-SystemSettingsThreshold", ""),
            ("Microsoft-Windows-Setup", "Setup", "4 `Setup` is no component that is known."),
            ("amd64", "x64", "4 `x64` is no processor"),
            (
                " versionScope=\"nonSxS\"",
                "",
                "4 The component has no `versionScope`: Setup ignores it. Add versionScope=\"nonSxS\".",
            ),
            ("<UserData>", account, "7 The password is in clear text."),
            ("<UserData>", hidden, "6 The password can be read by anybody"),
            ("<UserData>", "<Password><Value></Value></Password>", ""),
        ];
        for (from, to, expected) in cases {
            let to = if from == "<UserData>" { format!("{to}<UserData>") } else { to.to_owned() };
            let faults = kind::check(AnswerKind::Autounattend, &GOOD.replacen(from, &to, 1));
            let told: Vec<_> = faults
                .iter()
                .map(|fault| format!("{} {} {}", fault.line.unwrap_or_default(), fault.what, fault.next_step))
                .collect();
            match expected {
                "" => assert_eq!(told, Vec::<String>::new(), "{to}"),
                _ => assert!(told.len() == 1 && told[0].starts_with(expected), "{to}: {told:?}"),
            }
            assert!(!format!("{told:?}").contains("hunter2"), "{told:?}");
        }
    }

    #[test]
    fn passwords_and_keys_are_found() {
        let text =
            GOOD.replace("<UserData>", "<Password><Value>a b</Value><PlainText>true</PlainText></Password><UserData>");
        let found: Vec<_> = xml::secrets(&text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, ["a b", "AAAAA-BBBBB"]);
    }
}
