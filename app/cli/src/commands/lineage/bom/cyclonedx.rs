//! The bill as a CycloneDX 1.6 document: models and data are components, and what an asset was made from directly is what
//! it depends on. What it only inherits is among its properties, since the graph leads there by itself.

use anyhow::Result;
use provena_registry::state::Licence;
use serde::Serialize;

use super::{
    chain::{Bill, Entry},
    properties::{self, Property},
    uuid_of,
};

const SCHEMA: &str = "http://cyclonedx.org/schema/bom-1.6.schema.json";

/// The document.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u32,
    metadata: Metadata,
    components: Vec<Component>,
    dependencies: Vec<Dependency>,
}

#[derive(Serialize)]
struct Metadata {
    tools: Tools,
    component: Component,
    properties: Vec<Property>,
}

#[derive(Serialize)]
struct Tools {
    components: Vec<Tool>,
}

#[derive(Serialize)]
struct Tool {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Component {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref")]
    bom_ref: String,
    name: String,
    version: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<LicenceChoice>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_references: Vec<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model_card: Option<ModelCard>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    data: Vec<Data>,
    properties: Vec<Property>,
}

#[derive(Serialize)]
struct LicenceChoice {
    license: NamedLicence,
}

#[derive(Serialize)]
struct NamedLicence {
    #[serde(rename = "bom-ref")]
    bom_ref: String,
    name: String,
    acknowledgement: &'static str,
    licensing: Licensing,
    properties: Vec<Property>,
}

#[derive(Serialize)]
struct Licensing {
    licensor: Licensor,
}

#[derive(Serialize)]
struct Licensor {
    individual: Contact,
}

#[derive(Serialize)]
struct Contact {
    name: String,
}

#[derive(Serialize)]
struct Reference {
    #[serde(rename = "type")]
    kind: &'static str,
    url: String,
    comment: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ModelCard {
    model_parameters: ModelParameters,
}

#[derive(Serialize)]
struct ModelParameters {
    datasets: Vec<DatasetRef>,
}

#[derive(Serialize)]
struct DatasetRef {
    #[serde(rename = "ref")]
    bom_ref: String,
}

#[derive(Serialize)]
struct Data {
    #[serde(rename = "type")]
    kind: &'static str,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    governance: Option<Governance>,
}

#[derive(Serialize)]
struct Governance {
    owners: Vec<Owner>,
}

#[derive(Serialize)]
struct Owner {
    contact: Contact,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency {
    #[serde(rename = "ref")]
    bom_ref: String,
    depends_on: Vec<String>,
}

/// Writes the bill down.
pub(super) fn document(bill: &Bill) -> Result<Document> {
    let mut components = bill.assets.iter().map(|entry| component(bill, entry));
    let Some(first) = components.next() else { anyhow::bail!("a bill of nothing") };
    let mut document = Document {
        schema: SCHEMA,
        bom_format: "CycloneDX",
        spec_version: "1.6",
        serial_number: String::new(),
        version: 1,
        metadata: Metadata {
            tools: Tools {
                components: vec![Tool { kind: "application", name: "provena", version: env!("CARGO_PKG_VERSION") }],
            },
            component: first,
            properties: properties::of_bill(bill),
        },
        components: components.collect(),
        dependencies: bill.assets.iter().map(dependency).collect(),
    };
    document.serial_number = format!("urn:uuid:{}", uuid_of(&document)?);
    Ok(document)
}

fn component(bill: &Bill, entry: &Entry) -> Component {
    let model = entry.is_model();
    Component {
        kind: if model { "machine-learning-model" } else { "data" },
        bom_ref: entry.mint().to_string(),
        name: entry.name(),
        version: entry.registered.asset.latest.to_string(),
        licenses: entry.licences.iter().map(|licence| licence_choice(entry, licence)).collect(),
        external_references: entry.document().map(reference).into_iter().collect(),
        model_card: if model { model_card(bill, entry) } else { None },
        data: if model { Vec::new() } else { vec![data(entry)] },
        properties: properties::of_asset(bill, entry),
    }
}

fn licence_choice(entry: &Entry, licence: &Licence) -> LicenceChoice {
    let license = NamedLicence {
        bom_ref: format!("{}/licence/{}", entry.mint(), licence.id),
        name: properties::licence_name(entry, licence),
        acknowledgement: "declared",
        licensing: Licensing { licensor: Licensor { individual: Contact { name: licence.grantor.to_string() } } },
        properties: properties::of_licence(licence),
    };
    LicenceChoice { license }
}

fn reference(uri: &str) -> Reference {
    Reference { kind: "documentation", url: uri.to_owned(), comment: "the NFT's metadata document, which was not read" }
}

/// The datasets that the model was made from directly; without any there is nothing that a card could say.
fn model_card(bill: &Bill, entry: &Entry) -> Option<ModelCard> {
    let direct = entry.ancestors.iter().filter(|ancestor| !ancestor.is_inherited());
    let datasets = direct.filter(|ancestor| bill.entry(&ancestor.mint).is_some_and(|parent| !parent.is_model()));
    let datasets: Vec<_> = datasets.map(|ancestor| DatasetRef { bom_ref: ancestor.mint.to_string() }).collect();
    (!datasets.is_empty()).then_some(ModelCard { model_parameters: ModelParameters { datasets } })
}

fn data(entry: &Entry) -> Data {
    let owners = entry.holder.map(|holder| vec![Owner { contact: Contact { name: holder.to_string() } }]);
    Data { kind: "dataset", name: entry.name(), governance: owners.map(|owners| Governance { owners }) }
}

fn dependency(entry: &Entry) -> Dependency {
    let direct = entry.ancestors.iter().filter(|ancestor| !ancestor.is_inherited());
    let depends_on = direct.map(|ancestor| ancestor.mint.to_string()).collect();
    Dependency { bom_ref: entry.mint().to_string(), depends_on }
}
