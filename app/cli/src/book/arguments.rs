//! Names in place of addresses, in every argument that takes one.
//!
//! What an argument asks for is told by its value name, which people read in the help: where it says OFFER an offer's name
//! will do, where it says ASSET a model's or dataset's, and so on. Commands see addresses and know nothing of names.

use std::{any::TypeId, sync::Arc};

use clap::{
    Arg, Command,
    builder::{StringValueParser, TypedValueParser as _},
};
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use provena_client::share::Share;
use solana_pubkey::Pubkey;

use super::{
    Book, LAST,
    entry::{Entry, Kind, Wanted},
};
use crate::{address, commands::parent_args::Under};

/// The command line, with names where it takes addresses.
pub(crate) fn with_names(command: Command, book: &Arc<Book>) -> Command {
    command.mut_args(|argument| named(argument, book)).mut_subcommands(|subcommand| with_names(subcommand, book))
}

fn named(argument: Arg, book: &Arc<Book>) -> Arg {
    let Some(wanted) = argument.get_value_names().and_then(|names| wanted(names.first()?)) else { return argument };
    let value = argument.get_value_parser().type_id();
    let argument = if value == TypeId::of::<Pubkey>() {
        reads(argument, book, wanted, address::parse)
    } else if value == TypeId::of::<Share>() {
        reads(argument, book, wanted, str::parse::<Share>)
    } else if value == TypeId::of::<Under>() {
        reads(argument, book, wanted, str::parse::<Under>)
    } else if value == TypeId::of::<String>() {
        reads(argument, book, wanted, |text| Ok(text.to_owned()))
    } else {
        return argument;
    };
    let book = Arc::clone(book);
    argument.add(ArgValueCandidates::new(move || candidates(&book.entries().unwrap_or_default(), wanted)))
}

fn reads<T: Clone + Send + Sync + 'static>(
    argument: Arg,
    book: &Arc<Book>,
    wanted: Wanted,
    parse: fn(&str) -> Result<T, String>,
) -> Arg {
    let book = Arc::clone(book);
    argument.value_parser(StringValueParser::new().try_map(move |text: String| {
        parse(&written_out(&book, wanted, &text)?).map_err(|why| match meant(&book, wanted, &text) {
            Some(name) => format!("{why}; did you mean @{name}?"),
            None => why,
        })
    }))
}

/// `@name` or `@name=rest` with the name's address in its place; anything else as it is.
fn written_out(book: &Book, wanted: Wanted, text: &str) -> Result<String, String> {
    let Some(named) = text.strip_prefix('@') else { return Ok(text.to_owned()) };
    let (name, rest) = named.split_at(named.find('=').unwrap_or(named.len()));
    Ok(format!("{}{rest}", book.find(wanted, name)?))
}

/// The name that was typed without its `@`.
fn meant(book: &Book, wanted: Wanted, text: &str) -> Option<String> {
    let name = text.split('=').next()?;
    book.find(wanted, name).ok().map(|_| name.to_owned())
}

/// What an argument asks for, by its value name.
fn wanted(value_name: &str) -> Option<Wanted> {
    let first = value_name.split('=').next()?;
    match first {
        "ASSET" | "FILE|ASSET" => Some(Wanted::Asset),
        "ASSET|OFFER" => Some(Wanted::Earning),
        "MODEL" => Some(Wanted::Model),
        "OFFER" => Some(Wanted::Offer),
        "JOB" => Some(Wanted::Job),
        "ADDRESS" | "HOLDER" | "NODE" => Some(Wanted::Any),
        _ => None,
    }
}

/// What a shell proposes.
fn candidates(entries: &[Entry], wanted: Wanted) -> Vec<CompletionCandidate> {
    let fits: Vec<&Entry> = entries.iter().rev().filter(|entry| wanted.kinds().contains(&entry.kind)).collect();
    let last = fits.first().map(|entry| (LAST, format!("the latest {}", entry.kind)));
    let named = fits.iter().filter(|entry| entry.kind != Kind::Job);
    let named = named.map(|entry| (entry.name.as_str(), format!("{} {}", entry.kind, entry.address)));
    let mut candidates: Vec<CompletionCandidate> = Vec::new();
    for (name, help) in named.chain(last) {
        let candidate = CompletionCandidate::new(format!("@{name}")).help(Some(help.into()));
        if !candidates.iter().any(|earlier| earlier.get_value() == candidate.get_value()) {
            candidates.push(candidate);
        }
    }
    candidates
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, FromArgMatches as _};
    use tempfile::TempDir;

    use super::*;
    use crate::cli::Cli;

    /// Every argument whose type is an address, or has one in it, takes names: a new one that does not is found here.
    #[test]
    fn every_address_on_the_command_line_takes_names() {
        fn check(command: &Command, path: &str, without: &mut Vec<String>) {
            for argument in command.get_arguments() {
                let value = argument.get_value_parser().type_id();
                let address = value == TypeId::of::<Pubkey>() || value == TypeId::of::<Share>();
                let names = argument.get_value_names().unwrap_or_default();
                if address && names.first().and_then(|name| wanted(name)).is_none() {
                    without.push(format!("{path} {}", argument.get_id()));
                }
            }
            for subcommand in command.get_subcommands() {
                check(subcommand, &format!("{path} {}", subcommand.get_name()), without);
            }
        }
        let mut without = Vec::new();
        check(&Cli::command(), "provena", &mut without);
        // Payment mints are no part of the book: SOL or a token's own address.
        let mints = ["pay_in", "mint", "mints"];
        without.retain(|argument| !mints.iter().any(|mint| argument.ends_with(&format!(" {mint}"))));
        assert_eq!(without, Vec::<String>::new());
    }

    #[test]
    fn names_stand_for_addresses() {
        let folder = TempDir::new().unwrap();
        let book = Arc::new(Book::new(Some(folder.path().join("book.json")), "http://127.0.0.1:8899"));
        let address = |byte| Pubkey::new_from_array([byte; 32]);
        book.add(Kind::Model, "digits", address(1), &[]).unwrap();
        book.add(Kind::Wallet, "ada", address(2), &[]).unwrap();
        let read = |line: &[&str]| {
            let matches = with_names(Cli::command(), &book).try_get_matches_from([&["provena"], line].concat())?;
            Cli::from_arg_matches(&matches).map(|cli| format!("{:?}", cli.command))
        };
        let shown = read(&["asset", "show", "@digits"]).unwrap();
        assert!(shown.contains(&address(1).to_string()), "{shown}");
        let line = ["dataset", "mint", "x", "--parent", "@last=10%", "--holder", "@ada=5%", "--under", "@digits=1"];
        let minted = read(&line).unwrap();
        assert!(minted.contains(&address(1).to_string()) && minted.contains(&address(2).to_string()), "{minted}");
        // An offer's name stands for what it sells where its revenue is asked for, and nowhere else.
        book.add(Kind::Offer, "reader", address(3), &[]).unwrap();
        assert!(read(&["royalty", "show", "@reader"]).unwrap().contains(&address(3).to_string()));
        assert!(read(&["royalty", "show", "@last"]).unwrap().contains(&address(1).to_string()));
        assert!(read(&["asset", "show", "@reader"]).is_err());
        let why = read(&["asset", "show", "digits"]).unwrap_err().to_string();
        assert!(why.contains("not an address") && why.contains("did you mean @digits?"), "{why}");
        let why = read(&["asset", "show", "@digit"]).unwrap_err().to_string();
        assert!(why.contains("there is no @digit; near it: @digits"), "{why}");
        // What is no address stays as it was typed.
        assert!(read(&["infer", "@digits", "--prompt", "@digits"]).unwrap().contains("\"@digits\""));
    }
}
