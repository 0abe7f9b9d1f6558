//! AutoYaST profiles (the AutoYaST guide, and the schema of yast-autoinstallation).

use roxmltree::Node;

use super::fault::{self, Fault, MAX_FAULTS, instead, nearest};
use super::xml;
use crate::text;

/// The namespace of a profile.
const NAMESPACE: &str = "http://www.suse.com/1.0/yast2ns";
/// And of the attribute `type`.
const CONFIG: &str = "http://www.suse.com/1.0/configns";
/// Sections of a profile.
const SECTIONS: [&str; 71] = [
    "add-on",
    "appconfig",
    "audit-laf",
    "auth-client",
    "autoinstall",
    "bootloader",
    "ca_mgm",
    "cobbler",
    "configuration_management",
    "configure",
    "console",
    "deploy_image",
    "dhcp-server",
    "dns-server",
    "files",
    "fcoe-client",
    "firewall",
    "firstboot",
    "ftp-server",
    "general",
    "groups",
    "host",
    "http-server",
    "inetd",
    "install",
    "iscsi-client",
    "kdump",
    "kerberos",
    "keyboard",
    "language",
    "ldap",
    "ldap_client",
    "login_settings",
    "mail",
    "mouse",
    "networking",
    "nfs",
    "nfs_server",
    "nis",
    "nis_server",
    "ntp-client",
    "oneclick-installation",
    "online_update",
    "online_update_configuration",
    "partitioning",
    "partitioning_advanced",
    "power",
    "printer",
    "proxy",
    "relocation-server",
    "remote",
    "report",
    "rhn",
    "routing",
    "runlevel",
    "samba-client",
    "samba-server",
    "scripts",
    "security",
    "services-manager",
    "software",
    "sound",
    "squid",
    "ssh_import",
    "sssd",
    "suse_register",
    "sysconfig",
    "timezone",
    "upgrade",
    "user_defaults",
    "users",
];
/// Elements that are lists, and are read as something else where they do not say so.
const LISTS: [&str; 14] = [
    "users",
    "groups",
    "partitioning",
    "partitions",
    "packages",
    "patterns",
    "products",
    "remove-packages",
    "post-packages",
    "interfaces",
    "pre-scripts",
    "post-scripts",
    "chroot-scripts",
    "init-scripts",
];
/// Values of the attribute `type`.
const TYPES: [&str; 7] = ["list", "map", "boolean", "integer", "string", "symbol", "disksize"];

pub(super) fn check(source: &str) -> Vec<Fault> {
    let mut faults: Vec<Fault> = xml::encoding(source).into_iter().collect();
    let document = match xml::parse(source) {
        Ok(document) => document,
        Err(fault) => return vec![fault],
    };
    let root = document.root_element();
    faults.extend(namespace(root));
    let sections = root.children().filter(Node::is_element).filter_map(section);
    let elements = document.descendants().filter(Node::is_element).flat_map(element);
    // A line is found by counting, so no more than are told.
    faults.extend(sections.chain(elements).take(MAX_FAULTS));
    faults
}

fn namespace(root: Node<'_, '_>) -> Option<Fault> {
    let name = root.tag_name();
    if name.name() != "profile" {
        let what = format!("The file begins with `{}`, and a profile with `profile`.", text::plain(name.name(), 60));
        return Some(Fault::error(xml::line(root), what, "Choose another file."));
    }
    if name.namespace() == Some(NAMESPACE) {
        return None;
    }
    let next_step = format!("Write <profile xmlns=\"{NAMESPACE}\" xmlns:config=\"{CONFIG}\">.");
    Some(Fault::error(xml::line(root), "The profile does not have its namespace.", next_step))
}

fn section(section: Node<'_, '_>) -> Option<Fault> {
    let name = section.tag_name().name();
    let what = || format!("`{}` is no section that is known of AutoYaST.", text::plain(name, 60));
    (!SECTIONS.contains(&name)).then(|| Fault::warning(xml::line(section), what(), instead(name, SECTIONS)))
}

fn element(element: Node<'_, '_>) -> Vec<Fault> {
    let kind = kind(element);
    let of_type = kind.filter(|kind| !TYPES.contains(kind)).map(|kind| {
        let near = nearest(kind, TYPES).map(|near| format!("Did you mean `{near}`? ")).unwrap_or_default();
        let next_step = format!("{near}There are {}.", TYPES.join(", "));
        Fault::error(xml::line(element), format!("`{}` is no type.", text::plain(kind, 60)), next_step)
    });
    let name = element.tag_name().name();
    let is_list = kind.is_none() && LISTS.contains(&name) && has_elements(element);
    let of_list = is_list.then(|| {
        let next_step = format!("Write <{name} config:type=\"list\">.");
        Fault::error(xml::line(element), format!("`{name}` is a list and does not say so."), next_step)
    });
    [of_type, of_list, password(element)].into_iter().flatten().collect()
}

/// What an element says it is: `config:type`, or in newer profiles `type` or `t`.
fn kind<'a>(element: Node<'a, '_>) -> Option<&'a str> {
    // `type` without namespace is a word of its own in some elements.
    let short = element.attribute("type").filter(|kind| TYPES.contains(kind));
    element.attribute((CONFIG, "type")).or(element.attribute("t")).or(short)
}

fn has_elements(element: Node<'_, '_>) -> bool {
    element.children().any(|child| child.is_element())
}

fn password(element: Node<'_, '_>) -> Option<Fault> {
    let is_given =
        element.tag_name().name() == "user_password" && !element.text().unwrap_or_default().trim().is_empty();
    if !is_given {
        return None;
    }
    let encrypted = element.parent_element().and_then(|user| xml::child(user, "encrypted"));
    let says = encrypted.and_then(|encrypted| encrypted.text()).unwrap_or_default().trim();
    let is_hash = super::autoinstall::is_hash(element.text().unwrap_or_default().trim());
    let line = xml::line(element);
    match (says, is_hash) {
        ("true", true) => None,
        ("true", false) => {
            let what = "The password is no hash, as `encrypted` says: nobody can log in with it.";
            Some(Fault::error(line, what, "Write what `mkpasswd -m sha-512` prints."))
        }
        (_, true) => {
            let what = "The password is a hash, and `encrypted` does not say so: the hash becomes the password.";
            Some(Fault::error(line, what, "Add <encrypted config:type=\"boolean\">true</encrypted>."))
        }
        (_, false) => {
            let next_step =
                "Write what `mkpasswd -m sha-512` prints, and <encrypted config:type=\"boolean\">true</encrypted>.";
            Some(Fault::warning(line, fault::CLEAR, next_step))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::kind as kinds;
    use crate::image::AnswerKind;

    const GOOD: &str = "\
<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<!DOCTYPE profile>
<profile xmlns=\"http://www.suse.com/1.0/yast2ns\" xmlns:config=\"http://www.suse.com/1.0/configns\">
  <general><mode><confirm config:type=\"boolean\">false</confirm></mode></general>
  <partitioning config:type=\"list\"><drive><type config:type=\"symbol\">CT_DISK</type></drive></partitioning>
  <users t=\"list\">
    <user>
      <encrypted config:type=\"boolean\">true</encrypted>
      <user_password>$6$abc$def</user_password>
    </user>
  </users>
</profile>
";

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let cases = [
            ("", "", ""),
            ("</general>", "", "12 It is no XML: "),
            ("http://www.suse.com/1.0/yast2ns", "x", "3 The profile does not have its namespace."),
            ("UTF-8", "ISO-8859-1", "1 The file says that it is ISO-8859-1"),
            (
                "<general><mode><confirm config:type=\"boolean\">false</confirm></mode></general>",
                "<genaral/>",
                "4 `genaral` is no section that is known of AutoYaST. Did you mean `general`?",
            ),
            (
                "<users t=\"list\">",
                "<users>",
                "6 `users` is a list and does not say so. Write <users config:type=\"list\">.",
            ),
            (
                "config:type=\"boolean\">false",
                "config:type=\"bolean\">false",
                "4 `bolean` is no type. Did you mean `boolean`? There are list",
            ),
            ("$6$abc$def", "hunter2", "9 The password is no hash"),
            (
                "      <encrypted config:type=\"boolean\">true</encrypted>\n",
                "",
                "8 The password is a hash, and `encrypted`",
            ),
            (
                "true</encrypted>\n      <user_password>$6$abc$def",
                "false</encrypted>\n      <user_password>hunter2",
                "9 The password is in clear text.",
            ),
            ("$6$abc$def", " ", ""),
        ];
        for (from, to, expected) in cases {
            let faults = kinds::check(AnswerKind::Autoyast, &GOOD.replacen(from, to, 1));
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
    fn passwords_are_found() {
        let found: Vec<_> = xml::secrets(GOOD).into_iter().map(|range| &GOOD[range]).collect();
        assert_eq!(found, ["$6$abc$def"]);
    }
}
