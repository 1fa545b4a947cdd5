//! The bill as an SPDX 3.0.1 document, in the JSON-LD of the specification's own context.
//!
//! Models are `AIPackage`s and datasets `DatasetPackage`s. The profiles of both ask for the time of a release and the place
//! of a download, which the chain does not know, so that the document claims to conform to neither.

mod graph;

use std::collections::BTreeSet;

use anyhow::Result;
use provena_registry::state::Licence;
use solana_pubkey::Pubkey;

pub(super) use self::graph::Document;
use self::graph::{
    Agent, Collection, CreationInfo, Element, Extension, ExternalIdentifier, ExternalRef, Hash, Node, Package,
    Relationship, Text,
};
use super::{
    chain::{Ancestor, Bill, Entry},
    properties::{self, Property},
    uuid_of,
};

/// The time that the format asks for and that nobody read from a clock: the beginning of Unix time.
const NO_TIME: &str = "1970-01-01T00:00:00Z";

/// A bill whose elements have their names.
struct Writer<'a> {
    bill: &'a Bill,
    /// What the names begin with.
    namespace: String,
}

/// Writes the bill down.
pub(super) fn document(bill: &Bill) -> Result<Document> {
    let mut writer = Writer { bill, namespace: String::new() };
    writer.namespace = format!("urn:uuid:{}", uuid_of(&writer.document())?);
    Ok(writer.document())
}

impl Writer<'_> {
    fn document(&self) -> Document {
        let mut parts = vec![self.tool()];
        parts.extend(self.wallets().iter().map(|wallet| self.wallet(wallet)));
        for entry in &self.bill.assets {
            parts.push(self.package(entry));
            for licence in &entry.licences {
                parts.push(self.licence(entry, licence));
                parts.push(self.licensed(entry, licence));
            }
        }
        for entry in &self.bill.assets {
            parts.extend(entry.ancestors.iter().map(|ancestor| self.built_on(entry, ancestor)));
        }
        let ids: Vec<String> = parts.iter().filter_map(Node::id).collect();
        let root = self.bill.assets.iter().take(1).map(|entry| self.asset_id(&entry.mint())).collect();
        let mut element = self.element("bom", Some("Bill of materials from the chain".into()));
        element.extension = extension(properties::of_bill(self.bill));
        let bom = Collection { element, profile_conformance: PROFILES, root_element: root, elements: ids.clone() };
        let described = Collection {
            element: self.element("document", Some("Provena lineage".into())),
            profile_conformance: PROFILES,
            root_element: vec![self.id("bom")],
            elements: ids.into_iter().chain([self.id("bom")]).collect(),
        };
        let mut graph = vec![self.creation(), Node::SpdxDocument(described), Node::Bom(bom)];
        graph.extend(parts);
        Document::of(graph)
    }

    fn id(&self, part: &str) -> String {
        format!("{}#{part}", self.namespace)
    }

    fn asset_id(&self, mint: &Pubkey) -> String {
        self.id(&format!("asset-{mint}"))
    }

    fn wallet_id(&self, address: &Pubkey) -> String {
        self.id(&format!("wallet-{address}"))
    }

    fn licence_id(&self, entry: &Entry, licence: u32) -> String {
        self.id(&format!("licence-{}-{licence}", entry.mint()))
    }

    fn element(&self, part: &str, name: Option<String>) -> Element {
        Element { spdx_id: self.id(part), creation_info: graph::CREATION, name, ..Element::default() }
    }

    fn creation(&self) -> Node {
        let comment = format!(
            "No clock was read, so that the same chain gives the same bytes: the newest record is of slot {} of the \
             chain {}.",
            self.bill.newest_slot(),
            self.bill.genesis
        );
        Node::CreationInfo(CreationInfo {
            id: graph::CREATION,
            spec_version: "3.0.1",
            created: NO_TIME,
            created_by: vec![self.id("tool")],
            comment,
        })
    }

    fn tool(&self) -> Node {
        let name = format!("provena {}", env!("CARGO_PKG_VERSION"));
        Node::SoftwareAgent(Agent { element: self.element("tool", Some(name)) })
    }

    /// Everybody who is named, in an order of their own.
    fn wallets(&self) -> BTreeSet<Pubkey> {
        let entries = self.bill.assets.iter();
        entries.flat_map(|entry| [entry.holder, originator(entry)]).flatten().collect()
    }

    fn wallet(&self, address: &Pubkey) -> Node {
        let mut element = self.element(&format!("wallet-{address}"), Some(address.to_string()));
        element.external_identifier = vec![identifier(self.bill.wallet(address), "the wallet's name in CAIP-10")];
        Node::Agent(Agent { element })
    }

    fn package(&self, entry: &Entry) -> Node {
        let (mint, latest) = (entry.mint(), entry.versions.last());
        let mut element = self.element(&format!("asset-{mint}"), Some(entry.name()));
        element.external_identifier = vec![identifier(self.bill.nft(&mint), "the NFT's name in CAIP-19")];
        element.external_ref = entry.document().map(external_ref).into_iter().collect();
        element.verified_using = latest.map(|version| content_root(&version.content_root)).into_iter().collect();
        element.extension = extension(properties::of_asset(self.bill, entry));
        let model = entry.is_model();
        let package = Package {
            element,
            supplied_by: entry.holder.map(|holder| self.wallet_id(&holder)),
            originated_by: originator(entry).map(|wallet| self.wallet_id(&wallet)).into_iter().collect(),
            package_version: entry.registered.asset.latest.to_string(),
            primary_purpose: if model { "model" } else { "data" },
            dataset_type: if model { Vec::new() } else { vec!["noAssertion"] },
            dataset_size: latest.map(|version| version.content_len).filter(|_| !model),
        };
        if model { Node::AiPackage(package) } else { Node::DatasetPackage(package) }
    }

    fn licence(&self, entry: &Entry, licence: &Licence) -> Node {
        let name = properties::licence_name(entry, licence);
        let text = format!(
            "{name}. Its text is not on the chain; the text's SHA-256 behind the domain provena.licence.v1 is {}. The terms \
             that the chain knows and enforces are the provena: properties of this element.",
            hex::encode(licence.terms_hash)
        );
        let mut element = self.element(&format!("licence-{}-{}", entry.mint(), licence.id), Some(name));
        element.extension = extension(properties::of_licence(licence));
        Node::CustomLicense(Text { element, text })
    }

    /// What an asset is licensed under; a licence that was retired grants no more, and what it granted stays.
    fn licensed(&self, entry: &Entry, licence: &Licence) -> Node {
        let active = licence.is_active();
        let mut element = self.element(&format!("licensed-{}-{}", entry.mint(), licence.id), None);
        element.comment = (!active).then(|| "the licence is retired".to_owned());
        Node::Relationship(Relationship {
            element,
            from: self.asset_id(&entry.mint()),
            to: vec![self.licence_id(entry, licence.id)],
            kind: if active { "hasDeclaredLicense" } else { "other" },
            completeness: None,
        })
    }

    fn built_on(&self, entry: &Entry, ancestor: &Ancestor) -> Node {
        let parent = self.bill.entry(&ancestor.mint);
        let (inherited, edge) = (ancestor.is_inherited(), &ancestor.edge);
        let trained = entry.is_model() && !inherited && parent.is_some_and(|parent| !parent.is_model());
        let mut element = self.element(&format!("built-{}-{}", entry.mint(), ancestor.mint), None);
        element.comment = Some(format!(
            "{} under licence {} of version {}, as registered",
            if inherited { "inherited" } else { "built on it directly" },
            edge.licence,
            edge.parent_version
        ));
        Node::Relationship(Relationship {
            element,
            from: self.asset_id(&entry.mint()),
            to: vec![self.asset_id(&ancestor.mint)],
            kind: if trained { "trainedOn" } else { "descendantOf" },
            completeness: Some("noAssertion"),
        })
    }
}

/// What the document conforms to.
const PROFILES: &[&str] = &["core", "software", "expandedLicensing", "extension"];

/// Whom the asset came from: who began its draft, or else who named the first holders of its revenue.
fn originator(entry: &Entry) -> Option<Pubkey> {
    entry.registrant.or(entry.pool_creator)
}

fn identifier(identifier: String, comment: &'static str) -> ExternalIdentifier {
    ExternalIdentifier { kind: "ExternalIdentifier", identifier_type: "other", identifier, comment }
}

fn external_ref(uri: &str) -> ExternalRef {
    ExternalRef {
        kind: "ExternalRef",
        ref_type: "productMetadata",
        locator: vec![uri.to_owned()],
        comment: "the NFT's metadata document, which was not read",
    }
}

/// Not one of the algorithms that the format knows, and said to be so.
fn content_root(root: &[u8; 32]) -> Hash {
    Hash { kind: "Hash", algorithm: "other", value: hex::encode(root), comment: properties::content_root_hash() }
}

fn extension(properties: Vec<Property>) -> Vec<Extension> {
    vec![Extension::of(properties)]
}
