//! Model families: each turns (artifact, input size) into a plan, a request into inputs and outputs into a response.

pub mod bert;
pub mod cnn;
mod layers;
pub mod llama;
pub mod mlp;
mod plans;
mod scope;

use provena_wire::{Request, Response};

use crate::{
    artifact::{Artifact, ModelRecipe},
    error::Error,
    plan::{Plan, SealedPlan},
    values::Values,
};
pub use plans::Plans;

/// Runs a plan on one input and gives the plan's outputs in order.
pub type Execute<'a> = dyn FnMut(&SealedPlan, &Values) -> Result<Vec<Values>, Error> + 'a;

/// What the names of layer `i`'s tensors begin with in a model of words, before a full stop.
pub(crate) fn layer_prefix(i: usize) -> String {
    format!("layer.{i:03}")
}

/// A model whose tensors were found and whose tokenizer was read.
pub enum Prepared {
    /// A classifier.
    Mlp(mlp::Mlp),
    /// A classifier by convolutions.
    Cnn(cnn::Cnn),
    /// A sentence encoder.
    Bert(Box<bert::Bert>),
}

impl Prepared {
    /// Finds every tensor that the artifact's recipe calls for.
    ///
    /// # Errors
    /// [`Error::Tensor`] for the first that is missing or of another shape, [`Error::Tokenizer`] for a bad tokenizer.
    pub fn new(artifact: &Artifact) -> Result<Self, Error> {
        Ok(match &artifact.recipe().model {
            ModelRecipe::Mlp(recipe) => Self::Mlp(mlp::Mlp::new(artifact, recipe)?),
            ModelRecipe::Cnn(recipe) => Self::Cnn(cnn::Cnn::new(artifact, recipe)?),
            ModelRecipe::Bert(recipe) => Self::Bert(Box::new(bert::Bert::new(artifact, recipe)?)),
            other => return Err(Error::Artifact(format!("the family {} cannot be run", other.family()))),
        })
    }

    /// The plan for one input size: images in a batch, or tokens of a text.
    pub fn plan(&self, size: usize) -> Plan {
        match self {
            Self::Mlp(mlp) => mlp.plan(size),
            Self::Cnn(cnn) => cnn.plan(size),
            Self::Bert(bert) => bert.plan(size),
        }
    }

    /// The inputs of a request, one per execution.
    ///
    /// # Errors
    /// [`Error::Request`] or [`Error::InputTooLong`] when the request does not fit the model.
    pub fn inputs(&self, request: &Request) -> Result<Vec<Input>, Error> {
        match (self, request) {
            (Self::Mlp(mlp), Request::Classify { images }) => mlp.inputs(images),
            (Self::Cnn(cnn), Request::Classify { images }) => cnn.inputs(images),
            (Self::Bert(bert), Request::Embed { texts }) => bert.inputs(texts),
            (Self::Mlp(_) | Self::Cnn(_), _) => Err(Error::Request("this model classifies images".into())),
            (Self::Bert(_), _) => Err(Error::Request("this model embeds texts".into())),
        }
    }

    /// The first image of a batch alone, or the text that an input is.
    pub fn first(&self, input: &Input) -> Input {
        match (self, &input.values) {
            (Self::Mlp(_) | Self::Cnn(_), Values::I8(images)) => {
                let image = &images[..images.len() / input.size.max(1)];
                Input { size: 1, values: Values::I8(image.to_vec()) }
            }
            _ => input.clone(),
        }
    }
}

/// What one execution of a plan takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Images in the batch, or tokens: what [`Prepared::plan`] is asked for.
    pub size: usize,
    /// For the plan's input buffer.
    pub values: Values,
}

/// Answers the [inputs](Prepared::inputs) of a request with whatever executes plans; `plans` are those that the model had so
/// far.
///
/// # Errors
/// Those of `execute`.
pub fn answer(model: &Prepared, plans: &Plans, inputs: &[Input], execute: &mut Execute<'_>) -> Result<Response, Error> {
    let mut outputs = Vec::with_capacity(inputs.len());
    for input in inputs {
        outputs.push(execute(&plans.get(model, input.size), &input.values)?);
    }
    Ok(match model {
        Prepared::Mlp(mlp) => mlp.response(&outputs),
        Prepared::Cnn(cnn) => cnn.response(&outputs),
        Prepared::Bert(_) => bert::Bert::response(&outputs),
    })
}
