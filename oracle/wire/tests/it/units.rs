//! What requests can cost and answers do cost.

use provena_wire::{Finish, Generate, Message, Prompt, Request, Response, Sampling, Units};

fn generate(prompt: Prompt, max_tokens: u32) -> Request {
    Request::Generate(Generate { prompt, max_tokens, sampling: Sampling::GREEDY, stop: Vec::new() })
}

#[test]
fn a_prompt_counts_by_its_bytes_until_its_tokens_are_known() {
    assert_eq!(generate(Prompt::Text("häh".to_owned()), 10).units(), Units::new(4 + 1, 10));
    let said = |role: &str, content: &str| Message { role: role.to_owned(), content: content.to_owned() };
    let chat = vec![said("system", "be kind"), said("user", "hello")];
    let most = Units::new(128 + (6 + 7 + 16) + (4 + 5 + 16), 24);
    assert_eq!(generate(Prompt::Chat(chat), 24).units(), most);
    assert_eq!(generate(Prompt::Text("x".to_owned()), u32::MAX).units(), Units::new(2, u32::MAX));
}

#[test]
fn pictures_and_texts_are_units_of_input_by_the_piece() {
    assert_eq!(Request::Embed { texts: vec!["a".repeat(99), String::new()] }.units(), Units::new(2, 0));
    assert_eq!(Request::Classify { images: vec![vec![0; 64]; 3] }.units(), Units::new(3, 0));
    let embedded = Response::Embed { vectors: vec![vec![1, 2]; 4], shift: 14 };
    assert_eq!(embedded.units(), Units::new(4, 0));
    let classified = Response::Classify { labels: vec![1, 2], logits: vec![vec![0; 10]; 2] };
    assert_eq!(classified.units(), Units::new(2, 0));
}

#[test]
fn an_answer_costs_the_prompts_tokens_in_and_its_own_out() {
    let response =
        Response::Generate { prompt_tokens: 7, tokens: vec![1, 2, 3], text: String::new(), finish: Finish::Stop };
    assert_eq!(response.units(), Units::new(7, 3));
}

#[test]
fn the_most_is_a_bound_for_each_side() {
    let most = Units::new(5, 9);
    assert!(most.within(most) && Units::ZERO.within(most) && Units::ZERO.is_zero());
    assert!(!Units::new(6, 0).within(most) && !Units::new(0, 10).within(most));
    assert_eq!(Units::new(u32::MAX, u32::MAX).total(), 8_589_934_590);
    assert_eq!(most.to_string(), "5 in, 9 out");
}
