import type { Language } from "@hypecast/contracts/toxicity.ts";
import type { Token } from "./normalise.ts";

/** Words that tell Latin-written languages from English in few words, without their accents. */
const FOREIGN = new Set(
  (
    "der die das und ist nicht ein eine ich du wir mit auf auch aber wie bei was noch schon heute " +
    "el la los las que por para con una uno es esta pero como muy hola todo nada gracias jaja eres vamos " +
    "le les des une pas est pour dans avec vous nous je tu mais oui bonjour merci cest il elle " +
    "nao nao voce voce vai uma isso com tem mas muito obrigado kkkk caralho porra mano " +
    "nie jest sie sie tak ale dla jak czy mam kurwa dobrze co " +
    "bir ve bu ben sen icin evet hayir abi amk lan var yok " +
    "che di non sono ciao grazie perche ma e questo"
  ).split(" "),
);
const ENGLISH = new Set(
  (
    "the a an and is are was you your i im he she they it its this that not no yes so to of in on for with at be do does did have has " +
    "what why how who when my me we us go get got just like now lol good bad nice game team play from or but if up out all can will"
  ).split(" "),
);

/**
 * `ru` where most letters are Russian, `en` where they are Latin and nothing speaks for another language, otherwise `other`. A guess: most
 * lines have few words.
 */
export function languageOf(text: string, tokens: readonly Token[]): Language {
  let [latin, cyrillic, foreign, marked, ukrainian] = [0, 0, 0, 0, 0];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if ((code >= 65 && code <= 90) || (code >= 97 && code <= 122)) latin++;
    else if (code < 128) continue;
    else if (code >= 0xc0 && code <= 0x24f) marked++;
    else if (code >= 0x400 && code <= 0x4ff) {
      cyrillic++;
      if (UKRAINIAN.has(code)) ukrainian++;
    } else if (code >= 0x370 && /\p{L}/u.test(text[i]!)) foreign++;
  }
  if (cyrillic > latin + foreign) return ukrainian > 0 ? "other" : "ru";
  if (foreign > latin || latin + marked === 0) return "other";
  let [others, english] = [0, 0];
  for (const { kind, text: word } of tokens) {
    if (kind !== "word") continue;
    if (ENGLISH.has(word)) english++;
    else if (FOREIGN.has(word)) others++;
  }
  return others > english || (marked > 0 && english === 0) ? "other" : "en";
}

const UKRAINIAN = new Set(Array.from("іїєґІЇЄҐ", (sign) => sign.charCodeAt(0)));
