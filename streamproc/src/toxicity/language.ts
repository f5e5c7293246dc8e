import type { Language } from "@hypecast/contracts/toxicity.ts";

/** Words that tell Latin-written languages from English in few words. */
const FOREIGN = new Set(
  (
    "der die das und ist nicht ein eine ich du wir mit auf auch aber wie bei was noch schon heute " +
    "el la los las que por para con una uno es esta pero como muy hola todo nada gracias jaja eres vamos " +
    "le les des une pas est pour dans avec vous nous je tu mais oui bonjour merci c'est il elle " +
    "não nao voce você vai uma isso com tem mas muito obrigado kkkk caralho porra mano " +
    "nie jest się sie tak ale dla jak czy mam kurwa dobrze co " +
    "bir ve bu ben sen için evet hayır abi amk lan var yok " +
    "che di non sono ciao grazie perché ma è questo"
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
export function languageOf(text: string): Language {
  let [latin, cyrillic, foreign, marked] = [0, 0, 0, 0];
  for (const sign of text) {
    const code = sign.charCodeAt(0);
    if ((code >= 65 && code <= 90) || (code >= 97 && code <= 122)) latin++;
    else if (code < 128) continue;
    else if (code >= 0x410 && code <= 0x451) cyrillic++;
    else if (code >= 0xc0 && code <= 0x24f) marked++;
    else if (/\p{L}/u.test(sign)) foreign++;
  }
  if (cyrillic > latin + foreign) return /[іїєґ]/i.test(text) ? "other" : "ru";
  if (foreign > latin || latin + marked === 0) return "other";
  let [others, english] = [0, 0];
  for (const word of text.toLowerCase().split(/[^\p{L}']+/u)) {
    if (ENGLISH.has(word)) english++;
    else if (FOREIGN.has(word)) others++;
  }
  return others > english || (marked > 0 && english === 0) ? "other" : "en";
}
