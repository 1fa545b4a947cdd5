//! Which addresses a stranger's URL may lead to.
//!
//! Nodes write into the chain where they answer, and whoever buys or serves calls them there. An address of a stranger must not
//! make this machine call its own services, or its neighbours'.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Url, redirect};
use tokio::sync::{Semaphore, oneshot};

use crate::chain::clusters;

/// How far strangers' URLs may lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// To the public network, whatever a name resolves to.
    Public,
    /// To this machine and its neighbours as well: strangers are nobody else, as on a chain of one's own.
    Private,
}

impl Reach {
    /// What suits the chain with this genesis hash, which is read at `rpc_url`: where its server is on this machine, so may its
    /// nodes be, unless it is a public chain. Strangers write into that one, whatever door leads to it.
    #[must_use]
    pub fn of_chain(rpc_url: &str, genesis: &[u8; 32]) -> Self {
        let own = is_here(rpc_url) && clusters::public_name(genesis).is_none();
        if own { Self::Private } else { Self::Public }
    }

    /// The client that calls strangers' URLs, and this one among them: it goes nowhere else, follows no redirection and asks no
    /// proxy, which would look names up by itself. There is one for each rule, since to make one takes long. It waits for ever
    /// once it is connected: whoever calls sets a limit.
    ///
    /// # Errors
    /// In words: the URL is none, or leads to an address that may not be called.
    pub fn client(self, url: &str) -> Result<&'static Client, String> {
        let parsed = Url::parse(url).map_err(|error| error.to_string())?;
        if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() {
            return Err("it is not at http:// or https://".to_owned());
        }
        let client = match self {
            Self::Private => &*PRIVATE,
            Self::Public if is_public_host(&parsed) => &*PUBLIC,
            Self::Public => return Err(NOT_PUBLIC.to_owned()),
        };
        client.as_ref().map_err(Clone::clone)
    }

    /// What [`Reach::client`] hands out. It keeps no connection for later: those of one runtime are of no use to another, and
    /// strangers' are worth nothing.
    fn build(self) -> Result<Client, String> {
        let builder = Client::builder().redirect(redirect::Policy::none()).no_proxy();
        let builder = builder.connect_timeout(CONNECTION_PATIENCE).pool_max_idle_per_host(0);
        let builder = match self {
            Self::Private => builder,
            Self::Public => builder.dns_resolver(Arc::new(PublicOnly)),
        };
        builder.build().map_err(|error| causes(&error))
    }
}

static PRIVATE: LazyLock<Result<Client, String>> = LazyLock::new(|| Reach::Private.build());
static PUBLIC: LazyLock<Result<Client, String>> = LazyLock::new(|| Reach::Public.build());

/// Whether a URL names this machine.
pub(crate) fn is_here(url: &str) -> bool {
    let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    host == "localhost" || address(&host).is_some_and(|address| address.is_loopback())
}

/// Longest wait for a stranger's server to take a connection.
const CONNECTION_PATIENCE: Duration = Duration::from_secs(10);

/// Longest wait for a turn to look a name up, and then for its addresses.
const LOOKUP_PATIENCE: Duration = Duration::from_secs(5);

/// Why a stranger's URL is not called.
const NOT_PUBLIC: &str = "it is not at a public address";

/// What went wrong with a stranger's server, with what is behind it: the transport's own words alone say little.
#[must_use]
pub fn causes(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it does not answer in time".to_owned();
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if words == NOT_PUBLIC {
            return words;
        }
        text = format!("{text}: {words}");
        cause = inner.source();
    }
    if error.is_connect() { "nothing answers there".to_owned() } else { text }
}

/// Resolves names to public addresses alone. What is connected to is what was looked at: a name cannot lead elsewhere
/// between the look and the connection.
#[derive(Debug)]
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let public: Vec<_> = look_up(name).await?.into_iter().filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(NOT_PUBLIC.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Names of strangers that are looked up at the same time.
static LOOKUPS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(8)));

/// The addresses of a name, as the system knows them. It may take as long as a stranger's name server likes and cannot be
/// stopped, so that it happens on a few threads of its own; who comes while those are busy waits, and not for long.
async fn look_up(name: Name) -> Result<Vec<SocketAddr>, Box<dyn Error + Send + Sync>> {
    let place = tokio::time::timeout(LOOKUP_PATIENCE, Arc::clone(&LOOKUPS).acquire_owned()).await;
    let place = place.map_err(|_| "too many names are looked up at this moment")??;
    let (sender, found) = oneshot::channel();
    let work = move || {
        drop(sender.send((name.as_str(), 0).to_socket_addrs().map(Iterator::collect)));
        drop(place);
    };
    std::thread::Builder::new().name("name lookup".to_owned()).spawn(work)?;
    Ok(tokio::time::timeout(LOOKUP_PATIENCE, found).await???)
}

/// Whether a URL's host is a name, or an address that is public: addresses are not resolved.
fn is_public_host(url: &Url) -> bool {
    url.host_str().is_some_and(|host| address(host).is_none_or(is_public))
}

/// The address that a URL's host is, unless it is a name.
fn address(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Whether an address belongs to the public network rather than to this machine, its neighbours or nobody.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || a == 0
        || a >= 224
        // Behind a provider's own translation, its protocols, and benchmarks.
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19));
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    // Every way to write an IPv4 address in an IPv6 one leads to that address.
    let segments = address.segments();
    let low = u32::from(segments[6]) << 16 | u32::from(segments[7]);
    let middle = u32::from(segments[1]) << 16 | u32::from(segments[2]);
    match segments {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => return is_public_v4(Ipv4Addr::from(low)),
        [0x2002, ..] => return is_public_v4(Ipv4Addr::from(middle)),
        _ => {}
    }
    // Only this part is handed out; documentation and Teredo lie in it.
    let global = segments[0] & 0xe000 == 0x2000;
    let special = segments[0] == 0x2001 && (segments[1] < 0x200 || segments[1] == 0xdb8) || segments[0] == 0x3fff;
    global && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_address_is_nobodys_own_network() {
        for public in
            ["1.1.1.1", "8.8.8.8", "99.1.2.3", "172.15.0.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::808:808"]
        {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for other in [
            "127.0.0.1",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.0.8",
            "198.18.0.1",
            "203.0.113.1",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
        ] {
            assert!(!is_public(other.parse().unwrap()), "{other}");
        }
    }

    #[test]
    fn addresses_in_urls_are_looked_at_too() {
        let public = |url: &str| is_public_host(&Url::parse(url).unwrap());
        assert!(public("http://example.com/") && public("http://1.1.1.1:8700/") && public("http://[2606:4700::1]/"));
        // Any way to write it: the parser reads all of them as addresses.
        for own in
            ["http://127.0.0.1/", "http://2130706433/", "http://0x7f.1/", "http://[::1]:8700/", "http://10.1.1.1/"]
        {
            assert!(!public(own), "{own}");
        }
    }

    /// An honest node's name is one of many: of whatever else is looked up at the same moment it is not refused for.
    #[tokio::test]
    async fn whoever_comes_while_other_names_are_looked_up_waits_for_a_turn() {
        let all = (0..64).map(|_| look_up("localhost".parse().unwrap()));
        for found in futures_util::future::join_all(all).await {
            assert!(!found.unwrap().is_empty());
        }
    }

    #[test]
    fn private_addresses_are_called_where_the_chain_is_on_this_machine() {
        let own = [7; 32];
        for here in ["http://127.0.0.1:8899", "http://localhost:8899/", "https://[::1]/", "http://127.1.2.3"] {
            assert_eq!(Reach::of_chain(here, &own), Reach::Private, "{here}");
        }
        // A key in front of the host, a name that looks like one of ours, and any other address.
        for elsewhere in [
            "https://rpc.example/",
            "http://127.0.0.1@rpc.example/",
            "http://localhost.rpc.example/",
            "http://127.0.0.1.rpc.example/",
            "http://192.168.1.7:8899",
            "http://0.0.0.0:8899",
            "no url",
            "",
        ] {
            assert_eq!(Reach::of_chain(elsewhere, &own), Reach::Public, "{elsewhere}");
        }
    }

    #[test]
    fn strangers_on_a_public_chain_are_strangers_whatever_leads_to_it() {
        for (hash, name) in [
            ("5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d", "mainnet-beta"),
            ("4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY", "testnet"),
            ("EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG", "devnet"),
        ] {
            let genesis = hash.parse::<solana_pubkey::Pubkey>().unwrap().to_bytes();
            assert_eq!(clusters::public_name(&genesis), Some(name));
            assert_eq!(Reach::of_chain("http://127.0.0.1:8899", &genesis), Reach::Public, "{name}");
        }
    }

    /// To make a client reads the system's certificates, which took longer than many an answer.
    #[test]
    fn there_is_one_client_for_each_rule() {
        let [first, second] =
            ["http://1.1.1.1/", "https://example.com/v1"].map(|url| Reach::Public.client(url).unwrap());
        assert!(std::ptr::eq(first, second));
        let own = Reach::Private.client("http://127.0.0.1:8700/").unwrap();
        assert!(std::ptr::eq(own, Reach::Private.client("http://1.1.1.1/").unwrap()) && !std::ptr::eq(own, first));
        assert_eq!(Reach::Public.client("http://127.0.0.1:8700/").unwrap_err(), NOT_PUBLIC);
    }
}
