# SPDX-License-Identifier: BSD-2-Clause
# Completions for a shell: awk -v shell=bash|zsh|fish -f generate.awk options.def TEMPLATE
# The line @options@ of the template becomes what that shell is to know of each option of the table.
#
# What can follow an option is told by the name of its argument: files (F, FILE), directories (DIR),
# words (text|json), or something that no shell knows.

# The string that the C literal stands for; only what the table uses.
function unquote(literal)
{
    literal = substr(literal, 2, length(literal) - 2)
    gsub(/\\"/, "\"", literal)
    gsub(/\\\\/, "\\", literal)
    return literal
}

# `text` with a backslash before each of the characters of `class`, a regular expression.
function escape(text, class)
{
    gsub(class, "\\\\&", text)
    return text
}

function single_quote(text)
{
    gsub(/'/, "'\\''", text)
    return "'" text "'"
}

function kind_of(argument)
{
    if (argument == "")
        return "none"
    if (argument == "F" || argument ~ /^FILE/)
        return "file"
    if (argument == "DIR")
        return "directory"
    return argument ~ /\|/ ? "words" : "text"
}

# A name a line, with the kind of value, a '?' if it only follows a '=', and the words.
function print_bash(    i, value)
{
    value = kind optional (words == "" ? "" : " " words)
    for (i = 1; i <= length(shorts); i++)
        print "-" substr(shorts, i, 1), value
    print "--" name, value
}

# For _arguments: + and = stand before a value in the same word or the next, =- in the same alone.
function print_zsh(    i, names, spec, action)
{
    action = " "
    if (kind == "file")
        action = "_files"
    else if (kind == "directory")
        action = "_files -/"
    else if (kind == "words")
        action = "(" words ")"
    for (i = 1; i <= length(shorts); i++)
        names = names "-" substr(shorts, i, 1) (kind == "none" ? "" : "+") ","
    names = names "--" name (kind == "none" ? "" : optional == "" ? "=" : "=-")
    if (names ~ /,/)
        names = "{" names "}"
    spec = "[" escape(help, "[][\\\\]") "]"
    if (kind != "none")
        spec = spec (optional == "" ? ":" : "::") escape(argument, "[:\\\\]") ":" action
    print "    '*'" names single_quote(spec) " \\"
}

function print_fish(    i, line)
{
    line = "complete -c pproc"
    for (i = 1; i <= length(shorts); i++)
        line = line " -s " substr(shorts, i, 1)
    line = line " -l " name
    if (kind != "none" && optional == "")
        line = line (kind == "file" ? " -r -F" : " -x")
    if (kind == "directory")
        line = line " -a '(__fish_complete_directories)'"
    if (kind == "words")
        line = line (optional == "" ? "" : " -f") " -a '" words "'"
    print line " -d '" escape(help, "['\\\\]") "'"
}

# entry: what stands between the parentheses of OPTION(...).
function print_option(entry,    count, literal)
{
    shorts = name = argument = help = ""
    optional = entry ~ /optional_argument/ ? "?" : ""
    sub(/, NULL, no_argument/, ", \"\"", entry)
    for (; match(entry, /"([^"\\]|\\.)*"/); entry = substr(entry, RSTART + RLENGTH)) {
        literal = unquote(substr(entry, RSTART, RLENGTH))
        if (++count == 1)
            shorts = literal
        else if (count == 2)
            name = literal
        else if (count == 3)
            argument = literal
        else
            help = help literal
    }
    kind = kind_of(argument)
    words = kind == "words" ? argument : ""
    gsub(/\|/, " ", words)
    if (shell == "bash")
        print_bash()
    else if (shell == "zsh")
        print_zsh()
    else
        print_fish()
}

# The table: entries may go over several lines.
FNR == NR {
    if (/^OPTION\(/)
        entries[++entry_count] = ""
    if (/^OPTION\(/ || (entry_count > 0 && /^ /))
        entries[entry_count] = entries[entry_count] $0
    next
}

$0 == "@options@" {
    for (i = 1; i <= entry_count; i++)
        print_option(entries[i])
    next
}

{ print }
