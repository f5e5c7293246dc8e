import { EXIT, Failure } from "./failure.ts";
import type { Command } from "./commands/command.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;

/** A script for a shell to source: names of commands, then their options, then files. Made from the list of commands. */
export function completion(shell: string, commands: readonly Command[], shared: readonly string[]): string {
  const names = [...commands.map(({ name }) => name), "completion"];
  const optionsOf = ({ options }: Command): string =>
    [...Object.keys(options), ...shared].map((name) => `--${name}`).join(" ");
  switch (shell) {
    case "bash":
      return `_hypecast() {
  local word=\${COMP_WORDS[COMP_CWORD]}
  if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "${names.join(" ")}" -- "$word")); return; fi
  case \${COMP_WORDS[1]} in
${commands.map((command) => `    ${command.name}) local options="${optionsOf(command)}" ;;`).join("\n")}
    *) local options="${SHELLS.join(" ")}" ;;
  esac
  case $word in -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;; *) COMPREPLY=($(compgen -f -- "$word")) ;; esac
}
complete -o filenames -F _hypecast hypecast ./hypecast
`;
    case "zsh":
      return `#compdef hypecast
_hypecast() {
  if (( CURRENT == 2 )); then
    local -a names=(${commands.map(({ name, says }) => `'${name}:${quoted(says)}'`).join(" ")} 'completion:a script for your shell')
    _describe command names
    return
  fi
  case $words[2] in
${commands.map((command) => `    ${command.name}) compadd -- ${optionsOf(command)} ;;`).join("\n")}
    completion) compadd ${SHELLS.join(" ")} ;;
  esac
  _files
}
compdef _hypecast hypecast ./hypecast
`;
    case "fish":
      return [
        ...commands.map(
          ({ name, says }) => `complete -c hypecast -n __fish_use_subcommand -a ${name} -d '${quoted(says)}'`,
        ),
        ...commands.flatMap((command) =>
          optionsOf(command)
            .split(" ")
            .map(
              (option) =>
                `complete -c hypecast -n '__fish_seen_subcommand_from ${command.name}' -l ${option.slice(2)}`,
            ),
        ),
        "",
      ].join("\n");
    default:
      throw new Failure(EXIT.usage, `completion ${shell}: one of ${SHELLS.join(", ")}`);
  }
}

const quoted = (text: string): string => text.replaceAll("'", "’").replaceAll(":", " –");
