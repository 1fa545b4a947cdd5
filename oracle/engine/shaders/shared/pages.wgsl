// Which tokens a row sees, and in which slots they lie. The importing kernel binds `rows` and `pages`, and its parameters
// have the fields `pages` and `window`.

// Slots of a page.
override PAGE: u32 = 16u;

// The tokens that a row sees: `count` of its sequence from `first` on.
struct Seen {
    sequence: u32,
    first: u32,
    count: u32,
}

fn seen(row: u32) -> Seen {
    let end = rows[4u * row + 1u] + 1u;
    let first = select(0u, end - min(end, params.window), params.window != 0u);
    return Seen(rows[4u * row + 3u], first, end - first);
}

// The slot of a token of a sequence.
fn slot(sequence: u32, token: u32) -> u32 {
    return pages[sequence * params.pages + token / PAGE] * PAGE + token % PAGE;
}
