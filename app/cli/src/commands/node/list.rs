//! `provena node list`.

use anyhow::{Context as _, Result};
use provena_client::chain::{accounts, accounts::ProgramAccount};
use provena_market::state::Node;
use serde::Serialize;

use super::account::NodeReport;
use crate::{
    context::Context,
    output::{
        Report,
        money::short_sol,
        style::Style,
        table::{Align, Table},
    },
};

#[derive(Serialize)]
#[serde(transparent)]
struct Nodes(Vec<NodeReport>);

impl Report for Nodes {
    fn text(&self, style: Style) -> String {
        if self.0.is_empty() {
            return "No node is registered on this chain.".into();
        }
        let columns =
            [("node", Align::Address), ("stake", Align::Right), ("agreed", Align::Right), ("lost", Align::Right)];
        let mut table = Table::new(&columns);
        for node in &self.0 {
            let stake = short_sol(node.stake());
            let (agreed, forfeited) = node.record();
            table.row([node.address().to_owned(), stake, agreed.to_string(), forfeited.to_string()]);
            table.note(node.endpoint().shown());
        }
        table.text(style)
    }
}

/// Lists every node, the largest stake first.
pub(super) async fn run(context: &Context<'_>) -> Result<()> {
    let chain = context.chain()?;
    let mut nodes = accounts::list::<Node, _>(&chain, &Node::filter()).await.context("cannot list the nodes")?;
    nodes.sort_by_key(|(address, node)| (std::cmp::Reverse(node.stake), *address));
    context.output.data(&Nodes(nodes.iter().map(|(_, node)| NodeReport::new(node, None)).collect()))
}
