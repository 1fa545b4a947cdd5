//! A published model, `SmolLM2-135M-Instruct` in `Q4_1`, against candle and an independent tokenizer.

use std::collections::HashMap;

use candle_core::{Device, Tensor, quantized::gguf_file};
use provena_engine::format::Checkpoint;
use serde_json::json;
use tokenizers::Tokenizer;

use super::tokenizers::byte_letters;
use crate::assets::{fetched, lines};

fn open() -> Checkpoint {
    Checkpoint::open(&fetched("smollm2/model.gguf")).unwrap()
}

#[test]
fn a_published_file_is_described_as_its_own_config_json_does() {
    let checkpoint = open();
    assert_eq!(checkpoint.sha256, "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53");
    for (name, value) in [
        ("model_type", json!("llama")),
        ("vocab_size", json!(49_152)),
        ("hidden_size", json!(576)),
        ("num_hidden_layers", json!(30)),
        ("num_attention_heads", json!(9)),
        ("num_key_value_heads", json!(3)),
        ("head_dim", json!(64)),
        ("intermediate_size", json!(1_536)),
        ("max_position_embeddings", json!(8_192)),
        ("rms_norm_eps", json!(1e-5)),
        ("rope_theta", json!(100_000.0)),
        ("rope_scaling", json!(null)),
        ("tie_word_embeddings", json!(true)),
        ("hidden_act", json!("silu")),
    ] {
        assert_eq!(checkpoint.config[name], value, "{name}");
    }
    assert_eq!(checkpoint.weights.names().count(), 272);
    assert_eq!((checkpoint.bos.as_deref(), checkpoint.eos.as_deref()), (Some("<|im_start|>"), Some("<|im_end|>")));
    assert_eq!(checkpoint.stops, [0, 2]);
    let template = checkpoint.chat_template.unwrap();
    assert!(template.starts_with("{% for message in messages %}") && template.contains("add_generation_prompt"));
}

#[test]
fn a_published_files_weights_have_the_values_that_candle_gives() {
    let weights = open().weights;
    let mut reader = std::io::BufReader::new(std::fs::File::open(fetched("smollm2/model.gguf")).unwrap());
    let content = gguf_file::Content::read(&mut reader).unwrap();
    let device = Device::Cpu;
    let mut theirs =
        |name: &str| -> Tensor { content.tensor(&mut reader, name, &device).unwrap().dequantize(&device).unwrap() };
    // Queries and keys: per head the pairs that rotate together, apart instead of side by side.
    let apart = |tensor: Tensor, heads: usize| {
        let paired = tensor.reshape((heads, 32, 2, 576)).unwrap();
        paired.transpose(1, 2).unwrap().reshape((heads * 64, 576)).unwrap()
    };
    for layer in [0, 29] {
        for (from, to, heads) in [
            ("attn_norm", "input_layernorm", None),
            ("attn_q", "self_attn.q_proj", Some(9)),
            ("attn_k", "self_attn.k_proj", Some(3)),
            ("attn_v", "self_attn.v_proj", None),
            ("attn_output", "self_attn.o_proj", None),
            ("ffn_norm", "post_attention_layernorm", None),
            ("ffn_gate", "mlp.gate_proj", None),
            ("ffn_up", "mlp.up_proj", None),
            ("ffn_down", "mlp.down_proj", None),
        ] {
            let expected = theirs(&format!("blk.{layer}.{from}.weight"));
            let expected = heads.map_or(expected.clone(), |heads| apart(expected, heads));
            let found = weights.read(&format!("model.layers.{layer}.{to}.weight"), expected.dims()).unwrap();
            assert!(found == expected.flatten_all().unwrap().to_vec1::<f32>().unwrap(), "{to}");
        }
    }
    let words = theirs("token_embd.weight").narrow(0, 40_000, 1_000).unwrap();
    let found = weights.read_rows("model.embed_tokens.weight", 40_000..41_000).unwrap();
    assert!(found == words.flatten_all().unwrap().to_vec1::<f32>().unwrap());
    // Every tensor of the file can be read.
    let count = |name: &str| weights.read(name, weights.shape(name).unwrap()).unwrap().len();
    assert_eq!(weights.names().map(count).sum::<usize>(), 134_515_008);
}

/// A text as GPT-2 cuts it, every digit apart before that.
fn pieces(text: &str) -> Vec<String> {
    let mut out = vec![];
    let (mut run, mut runs) = (String::new(), vec![]);
    for letter in text.chars() {
        if letter.is_numeric() {
            runs.extend([std::mem::take(&mut run), letter.to_string()]);
        } else {
            run.push(letter);
        }
    }
    runs.push(run);
    for run in runs {
        let letters: Vec<char> = run.chars().collect();
        let mut at = 0;
        while at < letters.len() {
            let rest = &letters[at..];
            let endings = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];
            let ending = endings.into_iter().find(|ending| rest.iter().collect::<String>().starts_with(ending));
            let lead = usize::from(rest[0] == ' ');
            let kinds: [fn(&char) -> bool; 3] = [
                |c| c.is_alphabetic(),
                |c| c.is_numeric(),
                |c| !c.is_alphabetic() && !c.is_numeric() && !c.is_whitespace(),
            ];
            let word = |kind: &fn(&char) -> bool| rest[lead..].iter().take_while(|c| kind(c)).count();
            let word = kinds.iter().map(word).find(|len| *len > 0);
            let blanks = rest.iter().take_while(|c| c.is_whitespace()).count();
            let len = match (ending, word) {
                (Some(ending), _) => ending.len(),
                (None, Some(len)) => lead + len,
                // The last blank before a word belongs to the word.
                (None, None) if blanks < rest.len() && blanks > 1 => blanks - 1,
                (None, None) => blanks,
            };
            out.push(rest[..len].iter().collect());
            at += len;
        }
    }
    out
}

#[test]
fn a_published_files_tokenizer_cuts_and_merges_as_its_lists_say() {
    let checkpoint = open();
    let json: serde_json::Value = serde_json::from_slice(checkpoint.tokenizer.as_ref().unwrap()).unwrap();
    let tokenizer = Tokenizer::from_bytes(checkpoint.tokenizer.unwrap()).unwrap();
    assert_eq!(tokenizer.get_vocab_size(true), 49_152);
    let vocabulary: HashMap<&str, u64> = json["model"]["vocab"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(text, id)| (text.as_str(), id.as_u64().unwrap()))
        .collect();
    let merges: HashMap<(&str, &str), usize> = json["model"]["merges"]
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
        .map(|(rank, pair)| ((pair[0].as_str().unwrap(), pair[1].as_str().unwrap()), rank))
        .collect();
    assert_eq!(merges.len(), 48_900);
    let letters = byte_letters();
    let mut texts = lines("sentences.txt");
    texts.extend(
        [
            "I'm sure they'll say it's 12,345.67 €!",
            "  two  blanks\n\nand\tlines \r\n ",
            "naïve Größe 日本語 🙂 ½ x²",
            "'SHE'S'",
        ]
        .map(Into::into),
    );
    for text in &texts {
        let mut expected = vec![];
        for piece in pieces(text) {
            let mut parts: Vec<String> = piece.bytes().map(|byte| letters[usize::from(byte)].to_string()).collect();
            loop {
                let pairs = parts.windows(2).enumerate();
                let ranked =
                    pairs.filter_map(|(at, p)| merges.get(&(p[0].as_str(), p[1].as_str())).map(|rank| (*rank, at)));
                let Some((_, at)) = ranked.min() else { break };
                let right = parts.remove(at + 1);
                parts[at].push_str(&right);
            }
            expected.extend(parts.iter().map(|part| vocabulary[part.as_str()]));
        }
        let found = tokenizer.encode(text.as_str(), true).unwrap();
        let ids: Vec<u64> = found.get_ids().iter().map(|id| u64::from(*id)).collect();
        assert_eq!(ids, expected, "{text:?}");
        assert_eq!(&tokenizer.decode(found.get_ids(), true).unwrap(), text);
    }
    // The template's own words are one token each.
    let chat = tokenizer.encode("<|im_start|>user\nHello<|im_end|>\n", true).unwrap();
    assert_eq!((chat.get_ids()[0], chat.get_ids()[4]), (1, 2));
    assert_eq!(tokenizer.decode(chat.get_ids(), true).unwrap(), "user\nHello\n");
}
