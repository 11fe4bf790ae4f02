/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The completion of bash: tables made of the commands' options, and a function that looks into them. It needs nothing of
 * the package bash-completion, and works without it when it is read with `source`. */
#include "experiments/cli_private.h"

#include <string.h>

/* What may come in a place: "words", and which; "folder"; "json"; "text". */
static void put_takes(FILE *stream, const char *command, const char *place, const char *argument)
{
    static const char *const name[] = {[HSGD_ARGUMENT_TEXT] = "text",
                                       [HSGD_ARGUMENT_WORD] = "words ",
                                       [HSGD_ARGUMENT_NAMED] = "words ",
                                       [HSGD_ARGUMENT_FOLDER] = "folder",
                                       [HSGD_ARGUMENT_JSON] = "json"};
    hsgd_argument_kind kind = hsgd_argument_kind_of(argument);
    char words[256] = "";
    if (kind == HSGD_ARGUMENT_NONE)
        return;
    if (kind == HSGD_ARGUMENT_WORD || kind == HSGD_ARGUMENT_NAMED)
        hsgd_argument_words(words, sizeof words, argument, " ", " ");
    fprintf(stream, "    '%s %s') echo '%s%s' ;;\n", command, place, name[kind], words);
}

static void put_all_takes(const hsgd_program *program, FILE *stream)
{
    fputs("\n# What comes after an option of a command, or in the place of its argument; nothing after a switch.\n"
          "_hsgd_takes()\n{\n    case \"$1 $2\" in\n",
          stream);
    for (size_t i = 0; i < program->num_commands; i++) {
        const hsgd_command *command = program->command[i];
        put_takes(stream, command->name, "argument", command->positional);
        for (size_t k = 0; k < command->num_options; k++) {
            char place[64];
            snprintf(place, sizeof place, "--%s", command->option[k].name);
            put_takes(stream, command->name, place, command->option[k].argument);
        }
    }
    fputs("    esac\n}\n", stream);
}

static void put_options(const hsgd_program *program, FILE *stream)
{
    fputs("\n# The options of a command; without one, what may stand in its place.\n"
          "_hsgd_options()\n{\n    case $1 in\n",
          stream);
    for (size_t i = 0; i < program->num_commands; i++) {
        const hsgd_command *command = program->command[i];
        fprintf(stream, "    %s) echo '", command->name);
        for (size_t k = 0; k < command->num_options; k++)
            fprintf(stream, "--%s ", command->option[k].name);
        fputs("--help' ;;\n", stream);
    }
    fputs("    '') echo '", stream);
    for (size_t i = 0; i < program->num_commands; i++)
        fprintf(stream, "%s%s", i ? " " : "", program->command[i]->name);
    for (size_t i = 0; i < program->num_options; i++)
        fprintf(stream, " %s", program->option[i].name);
    fputs("' ;;\n    esac\n}\n", stream);
}

/* bash cuts --format=pdf into three words. An option stands at most once. */
static const char function[] =
    "\n"
    "# The options of command $1 that are not on the line yet.\n"
    "_hsgd_options_left()\n"
    "{\n"
    "    local option i\n"
    "    for option in $(_hsgd_options \"$1\"); do\n"
    "        for ((i = 2; i < ${#COMP_WORDS[@]}; i++)); do\n"
    "            ((i != COMP_CWORD)) && [[ ${COMP_WORDS[i]} == \"$option\" ]] && continue 2\n"
    "        done\n"
    "        echo \"$option\"\n"
    "    done\n"
    "}\n"
    "\n"
    "_hsgd()\n"
    "{\n"
    "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} takes\n"
    "    COMPREPLY=()\n"
    "    if ((COMP_CWORD == 1)); then\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$(_hsgd_options '')\" -- \"$word\")\n"
    "        return\n"
    "    fi\n"
    "    if [[ $word == = ]]; then\n"
    "        word=\n"
    "    elif [[ $before == = ]]; then\n"
    "        before=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "    fi\n"
    "    takes=$(_hsgd_takes \"$command\" \"$before\")\n"
    "    if [[ -z $takes && $word != -* ]]; then\n"
    "        takes=$(_hsgd_takes \"$command\" argument)\n"
    "    fi\n"
    "    case $takes in\n"
    "    words*)\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"${takes#words }\" -- \"$word\")\n"
    "        ;;\n"
    "    folder | json)\n"
    "        compopt -o filenames 2>/dev/null\n"
    "        mapfile -t COMPREPLY < <(\n"
    "            [[ $takes == json ]] && compgen -f -X '!*.json' -- \"$word\"\n"
    "            compgen -d -- \"$word\"\n"
    "        )\n"
    "        ;;\n"
    "    text) ;;\n"
    "    *)\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$(_hsgd_options_left \"$command\")\" -- \"$word\")\n"
    "        ;;\n"
    "    esac\n"
    "}\n"
    "\n"
    "complete -F _hsgd hsgd\n";

void hsgd_completion_print(const hsgd_program *program, FILE *stream)
{
    fputs("# Completion of hsgd for bash; made by hsgd --bash-completion.\n", stream);
    put_all_takes(program, stream);
    put_options(program, stream);
    fputs(function, stream);
}
