import { SEVERITIES, type Severity, type Thresholds } from "@hypecast/contracts/mod-case.ts";

/** How far harm moves a line's odds: what would be worst counts as about twice as likely (e^0.75), what would be harmless as half. */
const HARM = 1.5;
/** Beyond these a probability is a matter of belief. */
const SUREST = 0.9999;

/**
 * What thresholds are compared with: the calibrated probability that a line is toxic, its odds weighed by how bad it would be. The two are
 * multiplied in odds, so that a likely insult stands beside a possible threat, and neither can leave 0–1.
 */
export function rankOf(toxicity: number, severity: number): number {
  const likely = Math.min(SUREST, Math.max(1 - SUREST, toxicity));
  const odds = (likely / (1 - likely)) * Math.exp(HARM * (severity - 0.5));
  return Math.round((odds / (1 + odds)) * 1000) / 1000;
}

/** Null: no case. */
export const severityOf = (rank: number, thresholds: Thresholds): Severity | null =>
  SEVERITIES.find((severity) => rank >= thresholds[severity]) ?? null;

/** The worse of two. */
export const worse = (a: Severity, b: Severity): Severity =>
  SEVERITIES.indexOf(a) <= SEVERITIES.indexOf(b) ? a : b;

/** One step worse. */
export const raised = (severity: Severity): Severity =>
  SEVERITIES[Math.max(0, SEVERITIES.indexOf(severity) - 1)]!;
