/** The figures as text, under the names and in the order that llama-perplexity prints them. */
import type { Distribution, DivergenceFigures, Estimate, PerplexityFigures } from './statistics.ts';

export function formatPerplexity(figures: PerplexityFigures): string {
  return line('Perplexity', around(figures.ppl, figures.pplError));
}

export function formatDivergence(figures: DivergenceFigures): string {
  const { base, logRatio, ratio, excess, kld, dp } = figures;
  return [
    line('Mean PPL(Q)', around(figures.ppl, figures.pplError)),
    line('Mean PPL(base)', around(base.ppl, base.pplError)),
    line('Cor(ln(PPL(Q)), ln(PPL(base)))', `${figures.correlation.toFixed(2)} %`),
    line('Mean ln(PPL(Q)/PPL(base))', estimated(logRatio)),
    line('Mean PPL(Q)/PPL(base)', estimated(ratio)),
    line('Mean PPL(Q)-PPL(base)', estimated(excess)),
    '',
    line('Mean KLD', estimated(kld)),
    ...spread('KLD', kld, (value) => value.toFixed(6).padStart(10)),
    '',
    line('Mean Δp', `${around(dp.mean, dp.error, 3)} %`),
    ...spread('Δp', dp, (value) => `${value.toFixed(3).padStart(10)} %`),
    line('RMS Δp', `${around(dp.rms, dp.rmsError, 3)} %`),
    line('Same top p', `${around(figures.sameTop, figures.sameTopError, 3)} %`),
  ].join('\n');
}

/** Maximum, upper percentiles, median, lower percentiles, minimum. */
function spread(of: string, values: Distribution, format: (value: number) => string): string[] {
  const percentiles = Object.entries(values.percentiles).map(
    ([percent, value]) => [Number.parseFloat(percent), value] as const,
  );
  const some = (wanted: (percent: number) => boolean) =>
    percentiles
      .filter(([percent]) => wanted(percent))
      .map(([percent, value]) => line(`${percent.toFixed(1)}% ${of}`, format(value)));
  return [
    line(`Maximum ${of}`, format(values.max)),
    ...some((percent) => percent > 50),
    line(`Median ${of}`, format(values.median)),
    ...some((percent) => percent < 50),
    line(`Minimum ${of}`, format(values.min)),
  ];
}

function line(name: string, value: string): string {
  return `${name.padEnd(31)}: ${value}`;
}

function estimated({ mean, error }: Estimate): string {
  return around(mean, error);
}

function around(value: number, error: number, digits = 6): string {
  return `${value.toFixed(digits).padStart(10)} ± ${error.toFixed(digits)}`;
}
