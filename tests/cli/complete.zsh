# SPDX-License-Identifier: BSD-2-Clause
# zsh -f complete.zsh DIRECTORY LINE FILE: writes to FILE what zsh offers at the end of LINE, with
# the completions in DIRECTORY: a "match TEXT" or "display TEXT" a line. zsh completes only at a
# terminal, so another one runs in a pseudo-terminal.

if [[ $1 != inside ]]; then
    zmodload zsh/zpty
    zpty inner "TERM=vt100 zsh -f"
    zpty -w inner "stty cols 300; source ${(q)0:a} inside ${(q)1} ${(q)3}"
    zpty -r inner discarded '*ready*'
    zpty -w -n inner "$2"$'\C-t'
    zpty -r inner discarded '*finished*'
    exit
fi

fpath=($2 $fpath)
offered_file=$3
autoload -Uz compinit
compinit -D -u

# In place of the builtin that is given what can be offered; some calls only ask what would be.
compadd()
{
    local -a hits displays
    if [[ " ${@[1,(i)--]} " != *' -'[AOD]' '* ]]; then
        builtin compadd -A hits "$@"
        (( $@[(I)-d] )) && displays=("${(@P)@[${@[(i)-d]}+1]}")
        print -rl -- "match "$^hits "display "$^displays >>$offered_file
    fi
    builtin compadd "$@"
}

capture()
{
    _main_complete
    print finished
}
zle -C capture list-choices capture
bindkey '^T' capture
print read''y
