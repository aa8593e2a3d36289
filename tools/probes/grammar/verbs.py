"""The verbs of generated probes, and which classes of nouns they go with.

A row says the forms, the classes of the agent, the classes of the object and the manners
that fit; regular forms are derived.
"""

from tools.probes.grammar.verb_forms import Verb, verb


def _table(rows: str) -> tuple[Verb, ...]:
    return tuple(verb(row) for row in rows.strip().splitlines())


TRANSITIVE = _table("""
eat ate eaten | person animal | food | eager
share | person | food | often
read read read | person | text | careful
write wrote written | person | text | careful
copy | person | text | careful
discuss | person | text event | quiet
praise | person | text person | warm
repair | person | device vehicle | careful
clean | person | device vehicle furniture landmark | careful
paint | person | furniture landmark | careful
sell sold sold | person | device vehicle portable clothing | quick
buy bought bought | person | device vehicle portable clothing food | often
borrow | person | vehicle portable text clothing | quiet
carry | person | portable container | careful
find found found | person | portable animal clothing | chance
hide hid hidden | person | portable text | quick
lose lost lost | person | portable clothing text | chance
drop | person | portable food | chance
wash | person | clothing vehicle | careful
admire | person | clothing vehicle furniture building | quiet
choose chose chosen | person | clothing portable furniture | careful
feed fed fed | person | animal | careful
chase | animal | animal | eager
watch | person animal | person animal vehicle | quiet
follow | person animal | person animal | quiet
photograph | person | animal vehicle building person | quick
visit | person | person building | often
greet | person | person | warm
thank | person | person | warm
help | person | person | warm
invite | person | person | warm
interrupt | person | event person | quick
organize | person | event | careful
leave left left | person | event building | quiet
""")

INTRANSITIVE = _table("""
laugh | person || loud
smile | person || warm
arrive | person vehicle || quick
leave left left | person || quiet
wait | person animal || quiet
cough | person || loud
sing sang sung | person || loud
dance | person || dance
sneeze | person || loud
rest | person animal || quiet
work | person || quiet
sleep slept slept | person animal || quiet
disappear | animal vehicle || chance
stop | vehicle || quick
complain | person || loud
""")

DITRANSITIVE = _table("""
give gave given | person | portable text food clothing | warm
send sent sent | person | portable text clothing | quick
show showed shown | person | portable text clothing | quick
offer | person | food portable clothing | warm
lend lent lent | person | portable text clothing | quick
hand | person | portable text food | quick
sell sold sold | person | portable clothing | quick
bring brought brought | person | portable food clothing | quick
buy bought bought | person | portable food clothing | often
""")

# (particle's tag, verb): "turn off|ADP"
PARTICLE = tuple(
    (row.split()[0], row.split()[1], verb(row.split(None, 2)[2]))
    for row in """
off ADP turn | person | device | quick
on ADP turn | person | device | quick
off ADP switch | person | device | quick
up ADP pick | person | portable clothing food | quick
out ADP pick | person | clothing portable | careful
on ADP put put put | person | clothing | quick
off ADP take took taken | person | clothing | quick
on ADP try | person | clothing | quick
away ADV throw threw thrown | person | portable text food | quick
away ADV put put put | person | portable text clothing | quick
back ADV give gave given | person | portable text clothing | quick
back ADV bring brought brought | person | portable text clothing | quick
up ADP wrap | person | food portable | careful
up ADP tear tore torn | person | text | quick
up ADP clean | person | place | quick
over ADP knock | person animal | portable | chance
up ADP wake woke woken | person | person | quick
up ADP cheer | person | person | quick
""".strip().splitlines()
)
PARTICLE_ALONE = (
    ("up", verb("wake woke woken | person animal")),
    ("up", verb("stand stood stood | person")),
    ("down", verb("sit sat sat | person animal")),
    ("up", verb("give gave given | person")),
    ("down", verb("break broke broken | vehicle")),
    ("down", verb("calm | person animal")),
    ("up", verb("show showed shown | person")),
)

SAYING = _table("""
say said said
claim
believe
think thought thought
know knew known
notice
hear heard heard
remember
explain
suspect
admit admitted admitted
""")
ASKING = _table("""
know knew known
remember
discover
explain
learn
forget forgot forgotten
""")
SUBJECT_CONTROL = _table("""
want
try
decide
hope
promise
refuse
agree
plan
forget forgot forgotten
learn
manage
""")
ING_CONTROL = _table("""
start
stop
enjoy
avoid
finish
""")
OBJECT_CONTROL = _table("""
persuade
encourage
force
convince
inspire
""")
INDIRECT_CONTROL = _table("""
ask
allow
tell told told
""")
BARE_CONTROL = _table("""
help
make made made
let let let
""")
RAISING = _table("""
seem
appear
happen
tend
continue
""")
SEEMING = _table("""
seem
look
sound
feel felt felt
""")
FINDING = _table("""
find found found
consider
think thought thought
""")

# base of a verb -> tools
TOOLS = {
    "repair": ("hammer", "screwdriver", "wrench"),
    "clean": ("cloth", "brush", "sponge"),
    "paint": ("brush", "roller"),
    "write": ("pen", "pencil"),
    "copy": ("pen", "pencil"),
    "photograph": ("camera", "phone"),
    "eat": ("fork", "spoon", "knife"),
    "wash": ("brush", "sponge"),
}
