/**
 * Words that say nothing about what is searched for: grammar, and how people ask about streams ("the moment where he …", «покажи, где стример …»).
 * Compared in lower case, ё as е.
 */
export const FUNCTION_WORDS: ReadonlySet<string> = new Set(
  (
    "a an the and or but if of to in on at by for from with about into over after before under up down out off as is are was were be been being am do does did " +
    "doing done have has had having i me my you your he him his she her it its we us our they them their this that these those there here what which who whom whose when where why " +
    "how all any some no not only so than too very can could will would shall should may might must just now then also again get got gets go goes went " +
    "im ive hes shes thats whats wheres whens theyre youre dont didnt doesnt isnt wasnt lets " +
    "moment moments part time times place scene find show tell give streamer stream streaming vod video guy dude man someone somebody something anyone everyone everybody people viewer viewers " +
    "chat chatters said say says saying wrote write writes ask asked asks asking talk talked talking mention mentioned happened happens happen thing things really actually please pls " +
    "seconds minute minutes second hour hours because while during until " +
    "start starts started starting begin begins began beginning начало начал начала начали начался началась началось начинается начинает начнется пошла пошел пошло пошли gave give gives giving " +
    "который которая которое которые которой которого которому которым которых которую раньше тут-то никогда никто ничего нигде ever once even still right nobody nothing never together instead getting gets make makes made take takes took " +
    "и в во на с со к ко у о об от до по из за для над под при про через без не ни но а или если то что чтобы как так же бы ли уже еще ещё только вот это этот эта эти этого этой этом " +
    "тот та те того той тому я мне меня мой моя ты тебя твой он его ему нем она ее ей неё него них они их им мы нас нам вы вас вам себя свой свою свои своего кто кого кому чего чему чем где когда куда откуда почему " +
    "зачем какой какая какое какие какую был была было были есть будет быть стал стала стали там тут здесь потом тогда сейчас очень все всё весь вся всех всем самый самая самые " +
    "момент момента моменте моменты место места часть сцена найди найти покажи показать скажи дай стример стримера стримеру стримером стрим стрима стриме видео запись записи ведущий " +
    "чат чата чате чату чатом зрители зрителей зритель зритель люди людей кто-то кто-нибудь что-то сказал сказала сказали говорил говорили говорит пишет писали писал пишут написал написали спросил спросили спрашивали спрашивал обсуждали обсуждает " +
    "произошло случилось происходит раз пожалуйста плз просто вообще прям ну ка вроде после перед во время минута минуту час секунд"
  )
    .split(" ")
    .map((word) => word.replaceAll("ё", "е")),
);
