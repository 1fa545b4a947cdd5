//! SPDX 3.0.1 as JSON: the elements that a bill needs, with the names of the specification's context.

use serde::Serialize;

use crate::commands::lineage::bom::properties::Property;

/// The context that gives the names their meaning.
const CONTEXT: &str = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld";

/// The one creation that all elements share.
pub(super) const CREATION: &str = "_:creation";

/// The document.
#[derive(Serialize)]
pub(crate) struct Document {
    #[serde(rename = "@context")]
    context: &'static str,
    #[serde(rename = "@graph")]
    graph: Vec<Node>,
}

impl Document {
    pub(super) fn of(graph: Vec<Node>) -> Self {
        Self { context: CONTEXT, graph }
    }
}

#[derive(Serialize)]
#[serde(tag = "type")]
pub(super) enum Node {
    CreationInfo(CreationInfo),
    SpdxDocument(Collection),
    Bom(Collection),
    SoftwareAgent(Agent),
    Agent(Agent),
    #[serde(rename = "ai_AIPackage")]
    AiPackage(Package),
    #[serde(rename = "dataset_DatasetPackage")]
    DatasetPackage(Package),
    #[serde(rename = "expandedlicensing_CustomLicense")]
    CustomLicense(Text),
    Relationship(Relationship),
}

impl Node {
    /// The name of an element; a creation is none.
    pub(super) fn id(&self) -> Option<String> {
        let element = match self {
            Self::CreationInfo(_) => return None,
            Self::SpdxDocument(collection) | Self::Bom(collection) => &collection.element,
            Self::SoftwareAgent(agent) | Self::Agent(agent) => &agent.element,
            Self::AiPackage(package) | Self::DatasetPackage(package) => &package.element,
            Self::CustomLicense(licence) => &licence.element,
            Self::Relationship(relationship) => &relationship.element,
        };
        Some(element.spdx_id.clone())
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreationInfo {
    #[serde(rename = "@id")]
    pub id: &'static str,
    pub spec_version: &'static str,
    pub created: &'static str,
    pub created_by: Vec<String>,
    pub comment: String,
}

/// What every element has.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Element {
    pub spdx_id: String,
    pub creation_info: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub external_identifier: Vec<ExternalIdentifier>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub external_ref: Vec<ExternalRef>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub verified_using: Vec<Hash>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extension: Vec<Extension>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Collection {
    #[serde(flatten)]
    pub element: Element,
    pub profile_conformance: &'static [&'static str],
    pub root_element: Vec<String>,
    #[serde(rename = "element")]
    pub elements: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct Agent {
    #[serde(flatten)]
    pub element: Element,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Package {
    #[serde(flatten)]
    pub element: Element,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supplied_by: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub originated_by: Vec<String>,
    #[serde(rename = "software_packageVersion")]
    pub package_version: String,
    #[serde(rename = "software_primaryPurpose")]
    pub primary_purpose: &'static str,
    #[serde(rename = "dataset_datasetType", skip_serializing_if = "Vec::is_empty")]
    pub dataset_type: Vec<&'static str>,
    /// Bytes.
    #[serde(rename = "dataset_datasetSize", skip_serializing_if = "Option::is_none")]
    pub dataset_size: Option<u64>,
}

/// A licence that is on no list.
#[derive(Serialize)]
pub(super) struct Text {
    #[serde(flatten)]
    pub element: Element,
    #[serde(rename = "simplelicensing_licenseText")]
    pub text: String,
}

#[derive(Serialize)]
pub(super) struct Relationship {
    #[serde(flatten)]
    pub element: Element,
    pub from: String,
    pub to: Vec<String>,
    #[serde(rename = "relationshipType")]
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completeness: Option<&'static str>,
}

#[derive(Serialize)]
pub(super) struct ExternalIdentifier {
    #[serde(rename = "type")]
    pub kind: &'static str,
    #[serde(rename = "externalIdentifierType")]
    pub identifier_type: &'static str,
    pub identifier: String,
    pub comment: &'static str,
}

#[derive(Serialize)]
pub(super) struct ExternalRef {
    #[serde(rename = "type")]
    pub kind: &'static str,
    #[serde(rename = "externalRefType")]
    pub ref_type: &'static str,
    pub locator: Vec<String>,
    pub comment: &'static str,
}

#[derive(Serialize)]
pub(super) struct Hash {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub algorithm: &'static str,
    #[serde(rename = "hashValue")]
    pub value: String,
    pub comment: String,
}

/// CycloneDX's properties in SPDX.
#[derive(Serialize)]
pub(super) struct Extension {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "extension_cdxProperty")]
    properties: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "extension_cdxPropName")]
    name: String,
    #[serde(rename = "extension_cdxPropValue")]
    value: String,
}

impl Extension {
    /// An element's properties; at least one.
    pub(super) fn of(properties: Vec<Property>) -> Self {
        let entry = |property: Property| Entry {
            kind: "extension_CdxPropertyEntry",
            name: property.name,
            value: property.value,
        };
        Self { kind: "extension_CdxPropertiesExtension", properties: properties.into_iter().map(entry).collect() }
    }
}
