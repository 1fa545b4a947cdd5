//! Settings from the environment: `PROVENA_NODE__SECTION__SETTING=value`.

use toml::{Table, Value};

use super::ConfigError;

/// What every variable's name starts with.
pub const PREFIX: &str = "PROVENA_NODE__";

/// Puts each variable's value where its name says, over whatever the file says there. Returns the variables' names.
///
/// # Errors
/// [`ConfigError::Variable`] for a name without section and setting.
pub(super) fn apply(
    table: &mut Table,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Vec<String>, ConfigError> {
    let mut names = Vec::new();
    for (name, value) in variables {
        let wrong = || ConfigError::Variable { name: name.clone() };
        let path = name.strip_prefix(PREFIX).ok_or_else(wrong)?.to_lowercase();
        let (section, setting) = path.split_once("__").ok_or_else(wrong)?;
        if section.is_empty() || setting.is_empty() {
            return Err(wrong());
        }
        let section = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
        section.as_table_mut().ok_or_else(wrong)?.insert(setting.to_owned(), parse(&value));
        names.push(name);
    }
    Ok(names)
}

/// A number, a truth value or a list as TOML writes it; everything else is text.
fn parse(text: &str) -> Value {
    let as_toml = format!("value = {text}").parse::<Table>().ok();
    as_toml.and_then(|mut table| table.remove("value")).unwrap_or_else(|| Value::String(text.to_owned()))
}
