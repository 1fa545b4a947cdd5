//! Writes GGUF files by the format's definition, honest ones and others.

/// A value of the metadata.
#[derive(Clone, Debug)]
pub(super) enum Meta {
    U8(u8),
    I32(i32),
    U32(u32),
    U64(u64),
    F32(f32),
    F64(f64),
    Bool(bool),
    Text(String),
    Texts(Vec<String>),
    I32s(Vec<i32>),
    U32s(Vec<u32>),
    F32s(Vec<f32>),
    /// Type and bytes as they are.
    Raw(u32, Vec<u8>),
}

impl From<&str> for Meta {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

fn text(to: &mut Vec<u8>, text: &[u8]) {
    to.extend((text.len() as u64).to_le_bytes());
    to.extend(text);
}

impl Meta {
    fn write(&self, to: &mut Vec<u8>) {
        let mut kind = |kind: u32, bytes: &[u8]| {
            to.extend(kind.to_le_bytes());
            to.extend(bytes);
        };
        let list = |element: u32, count: usize, bytes: Vec<u8>| {
            [&element.to_le_bytes(), (count as u64).to_le_bytes().as_slice(), &bytes].concat()
        };
        match self {
            Self::U8(v) => kind(0, &[*v]),
            Self::U32(v) => kind(4, &v.to_le_bytes()),
            Self::I32(v) => kind(5, &v.to_le_bytes()),
            Self::F32(v) => kind(6, &v.to_le_bytes()),
            Self::Bool(v) => kind(7, &[u8::from(*v)]),
            Self::Text(v) => {
                kind(8, &[]);
                text(to, v.as_bytes());
            }
            Self::Texts(v) => {
                let mut bytes = vec![];
                v.iter().for_each(|v| text(&mut bytes, v.as_bytes()));
                kind(9, &list(8, v.len(), bytes));
            }
            Self::I32s(v) => kind(9, &list(5, v.len(), v.iter().flat_map(|v| v.to_le_bytes()).collect())),
            Self::U32s(v) => kind(9, &list(4, v.len(), v.iter().flat_map(|v| v.to_le_bytes()).collect())),
            Self::F32s(v) => kind(9, &list(6, v.len(), v.iter().flat_map(|v| v.to_le_bytes()).collect())),
            Self::U64(v) => kind(10, &v.to_le_bytes()),
            Self::F64(v) => kind(12, &v.to_le_bytes()),
            Self::Raw(v, bytes) => kind(*v, bytes),
        }
    }
}

/// A tensor.
#[derive(Clone, Debug)]
pub(super) struct Tensor {
    pub name: String,
    /// Innermost first, as the format has it.
    pub dims: Vec<u64>,
    /// ggml's number for the type.
    pub kind: u32,
    pub bytes: Vec<u8>,
    /// Where it says that it lies, in the data; by default where it does.
    pub offset: Option<u64>,
}

/// A file.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub version: u32,
    pub metadata: Vec<(String, Meta)>,
    pub tensors: Vec<Tensor>,
}

impl File {
    /// Sets an entry of the metadata, in place of one of the same name.
    pub(super) fn set(&mut self, key: &str, value: impl Into<Meta>) {
        self.unset(key);
        self.metadata.push((key.into(), value.into()));
    }

    /// Removes an entry of the metadata.
    pub(super) fn unset(&mut self, key: &str) {
        self.metadata.retain(|(name, _)| name != key);
    }

    /// Adds a tensor of F32; `shape` is outermost first.
    pub(super) fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        assert_eq!(values.len(), shape.iter().product::<usize>(), "{name}");
        self.tensor(name, shape, 0, values.iter().flat_map(|v| v.to_le_bytes()).collect());
    }

    /// Adds a tensor as its bytes; `shape` is outermost first.
    pub(super) fn tensor(&mut self, name: &str, shape: &[usize], kind: u32, bytes: Vec<u8>) {
        let dims = shape.iter().rev().map(|dim| *dim as u64).collect();
        self.tensors.push(Tensor { name: name.into(), dims, kind, bytes, offset: None });
    }

    /// The tensor of this name.
    pub(super) fn find(&mut self, name: &str) -> &mut Tensor {
        self.tensors.iter_mut().find(|tensor| tensor.name == name).unwrap()
    }

    /// The file's bytes.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let align = self.metadata.iter().find_map(|(key, value)| match value {
            Meta::U32(align) if key == "general.alignment" => Some(*align as usize),
            _ => None,
        });
        // An alignment that is none is written as if it were one.
        let align = align.filter(|align| align.is_power_of_two()).unwrap_or(32);
        let mut to = b"GGUF".to_vec();
        to.extend(self.version.to_le_bytes());
        to.extend((self.tensors.len() as u64).to_le_bytes());
        to.extend((self.metadata.len() as u64).to_le_bytes());
        for (key, value) in &self.metadata {
            text(&mut to, key.as_bytes());
            value.write(&mut to);
        }
        let mut data = vec![];
        for tensor in &self.tensors {
            data.resize(data.len().next_multiple_of(align), 0);
            text(&mut to, tensor.name.as_bytes());
            to.extend((tensor.dims.len() as u32).to_le_bytes());
            tensor.dims.iter().for_each(|dim| to.extend(dim.to_le_bytes()));
            to.extend(tensor.kind.to_le_bytes());
            to.extend(tensor.offset.unwrap_or(data.len() as u64).to_le_bytes());
            data.extend(&tensor.bytes);
        }
        to.resize(to.len().next_multiple_of(align), 0);
        to.extend(data);
        to
    }
}

/// Sizes of [`decoder`].
pub(super) const WIDTH: usize = 8;
pub(super) const HEADS: usize = 2;
pub(super) const INNER: usize = 12;

/// Values that differ from each other.
pub(super) fn counting(len: usize, from: f32) -> Vec<f32> {
    (0..len).map(|i| from + i as f32 * 0.125).collect()
}

/// A decoder with one layer of F32: width 8, two heads of queries and one of keys and values, each of width 4.
pub(super) fn decoder(architecture: &str) -> File {
    let mut file = File { version: 3, metadata: vec![], tensors: vec![] };
    file.set("general.architecture", architecture);
    let key = |name: &str| format!("{architecture}.{name}");
    for (name, value) in [
        ("block_count", 1),
        ("context_length", 64),
        ("embedding_length", WIDTH as u32),
        ("feed_forward_length", INNER as u32),
        ("attention.head_count", HEADS as u32),
        ("attention.head_count_kv", 1),
    ] {
        file.set(&key(name), Meta::U32(value));
    }
    file.set(&key("attention.layer_norm_rms_epsilon"), Meta::F32(1e-5));
    file.floats("token_embd.weight", &[5, WIDTH], &counting(5 * WIDTH, 1.0));
    let half = WIDTH / HEADS;
    for (name, shape) in [
        ("attn_norm", &[WIDTH] as &[usize]),
        ("attn_q", &[WIDTH, WIDTH]),
        ("attn_k", &[half, WIDTH]),
        ("attn_v", &[half, WIDTH]),
        ("attn_output", &[WIDTH, WIDTH]),
        ("ffn_norm", &[WIDTH]),
        ("ffn_gate", &[INNER, WIDTH]),
        ("ffn_up", &[INNER, WIDTH]),
        ("ffn_down", &[WIDTH, INNER]),
    ] {
        let len = shape.iter().product();
        file.floats(&format!("blk.0.{name}.weight"), shape, &counting(len, -2.0));
    }
    file.floats("output_norm.weight", &[WIDTH], &counting(WIDTH, 0.5));
    file
}
