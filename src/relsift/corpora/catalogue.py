"""The named corpora. relsift ships its own, gazette; for the others it has the way to read them and the checksums of their files.

A corpus with a split of its own keeps it. For other corpora the entry says how the split is made; the same input always gives the
same split.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from relsift.corpora import scicn
from relsift.corpora.corpus import DEV, SPLITS, TEST, TRAIN, Corpus, Raw, Reading
from relsift.errors import DataError
from relsift.schema import Document

_GITHUB = "https://github.com/"
_GAZETTE = Path(__file__).parent / "gazette"
_BRAT = (".ann", ".txt")


def _archive(repository: str, commit: str) -> str:
    return f"{_GITHUB}{repository}/archive/{commit}.zip"


def _sha1_modulo_10(key: str) -> int:
    """0 to 9, from the SHA-1 of an id: the split stays when documents are added or reordered."""
    return int(hashlib.sha1(key.encode("utf-8"), usedforsecurity=False).hexdigest(), 16) % 10


@cache
def _gazette_splits(language: str) -> dict[str, str]:
    """The split of each document. Raises DataError for a file that names a document twice."""
    listed: dict[str, list[str]] = json.loads((_GAZETTE / "splits.json").read_text(encoding="utf-8"))[language]
    split_of = {key: split for split in SPLITS for key in listed[split]}
    if len(split_of) != sum(map(len, listed.values())):
        raise DataError(f"{_GAZETTE / 'splits.json'}: expected each document of {language!r} in one split, got one in two")
    return split_of


def _gazette(language: str, title: str) -> Corpus:
    def split_of(_: int, document: Document) -> str:
        return _gazette_splits(language)[document.id]

    return Corpus(
        name=f"gazette-{language}",
        title=title,
        language=language,
        domain="news (every person, place and event is invented)",
        licence="CC0 1.0",
        source="shipped with relsift; guide in corpora/gazette/GUIDE.md",
        citation="relsift",
        direction="directed",
        readings=(Reading(raw=language, reader="gazette", split=split_of),),
        notes=("Split by document, balanced so that each part has every relation type.",),
        shipped=_GAZETTE / language,
    )


GAZETTE_EN = _gazette("en", "gazette, English")
GAZETTE_ZH = _gazette("zh", "gazette, Chinese")


def _ade_split(_: int, document: Document) -> str:
    return {8: DEV, 9: TEST}.get(_sha1_modulo_10(document.id), TRAIN)


ADE = Corpus(
    name="ade",
    title="ADE: adverse drug effects",
    language="en",
    domain="medical case reports",
    licence="none stated; the authors ask to be cited",
    source="trunghlt/AdverseDrugReaction 2851af9, DRUG-AE.rel",
    homepage=f"{_GITHUB}trunghlt/AdverseDrugReaction",
    download=_archive("trunghlt/AdverseDrugReaction", "2851af96e26050cf551a2e1f716ff861f7b1059b"),
    citation="Gurulingappa et al., Journal of Biomedical Informatics 45 (2012)",
    direction="undirected",
    raw=(Raw(path="DRUG-AE.rel", sha256="542cdc483ccc94927762eaf2c9a8ecac49a6c10037dda2895be6a6e20160f75a"),),
    readings=(Reading(raw="DRUG-AE.rel", reader="ade_rel", split=_ade_split),),
    notes=(
        "Brings no split. Abstracts are split by SHA-1 of their PubMed id modulo 10: 8 is dev, 9 is test.",
        "Published figures are means over 10 folds; with gold entities there are almost no negatives.",
    ),
)

BIORED = Corpus(
    name="biored",
    title="BioRED",
    language="en",
    domain="biomedical abstracts",
    licence="US government work, public domain; the authors ask to be cited",
    source="yookontian/RE_on_BioRED 2b9a518, data/BioRED, PubTator files; the publisher's archive may be another release",
    homepage="https://ftp.ncbi.nlm.nih.gov/pub/lu/BioRED/",
    download="https://ftp.ncbi.nlm.nih.gov/pub/lu/BioRED/BIORED.zip",
    citation="Luo et al., Briefings in Bioinformatics 23 (2022)",
    direction="undirected",
    raw=(
        Raw(path="Train.PubTator", sha256="472cf3a38aa1732c08918e561a86a28d331b80ecddc7f77b3de02cc705181b81"),
        Raw(path="Dev.PubTator", sha256="504f8c8be806606d519b6c360f3164ff89dbfa5610f603bafe662ab2605bca76"),
        Raw(path="Test.PubTator", sha256="91d478f1e67d310f49d7797e3ea731c97ac1d8f6275245fde5b9dd12c4551c16"),
    ),
    readings=tuple(Reading(raw=f"{split.capitalize()}.PubTator", reader="pubtator", split=split) for split in SPLITS),
    notes=(
        "The corpus's own split; sentences are found by relsift. Novelty is not read.",
        "Its relations are between concepts of an abstract. Each is given to all pairs of their mentions in one sentence, so some pairs "
        "are related that no one read as such, and 981 of 6,503 relations have no pair. Figures of the task: --relations concepts.",
    ),
)

# Articles that were annotated twice: these are the copies left out, so that no text stands in two splits.
_LITERATURE_COPIES = frozenset(
    str(number)
    for number in (
        6, 7, 16, 31, 72, 75, 89, 99, 208, 460, 461, 472, 480, 493, 532, 641,
        715, 719, 725, 726, 728, 908, 931, 936, 962, 973, 979, 989, 993, 1108, 1114, 1118,
    )
)  # fmt: skip
_LITERATURE_LEAST_RELATIONS = 0.02  # relations an entity; below it an article was hardly annotated


def _leave_out_of_literature(document: Document) -> str | None:
    if document.id in _LITERATURE_COPIES:
        return "articles that are a second annotation of another one"
    num_entities = sum(len(sentence.entities) for sentence in document.sentences)
    num_relations = sum(len(sentence.relations or ()) for sentence in document.sentences)
    if num_relations < _LITERATURE_LEAST_RELATIONS * num_entities:
        return "articles with fewer than one relation in fifty entities"
    return None


_LITERATURE_OPTIONS = {
    "unit": "characters", "lines": "wrapped", "subtypes": "hyphen", "equivalences": "ignore", "offsets": "nearby",
}  # fmt: skip

CHINESE_LITERATURE = Corpus(
    name="chinese_literature",
    title="Chinese Literature Text",
    language="zh",
    domain="literature",
    licence="none stated",
    source="lancopku/Chinese-Literature-NER-RE-Dataset 021b3c1, relation_extraction",
    homepage=f"{_GITHUB}lancopku/Chinese-Literature-NER-RE-Dataset",
    download=_archive("lancopku/Chinese-Literature-NER-RE-Dataset", "021b3c1c6a1449634ecb2bf9c4ac17f2c5c870dd"),
    citation="Xu et al., arXiv 1711.07010 (2017)",
    direction="directed",
    raw=(
        Raw(path="Training", suffixes=_BRAT, sha256="2c0cb373d056211d22eab350226c90a8ee4bf1cf75925ef62ed2c370812cfb8e"),
        Raw(path="Validation", suffixes=_BRAT, sha256="539e7eb83266785d43f02a2943dbb353c0f300715176d232283a26e2fbc11c58"),
        Raw(path="Testing", suffixes=_BRAT, sha256="60baab5f7cc20702dbd3084cf94dcab43cfbeb675607e388644dacaf3e2a7117"),
    ),
    readings=(
        Reading(raw="Training", reader="brat", split=TRAIN, options=_LITERATURE_OPTIONS),
        Reading(raw="Validation", reader="brat", split=DEV, options=_LITERATURE_OPTIONS),
        Reading(raw="Testing", reader="brat", split=TEST, options=_LITERATURE_OPTIONS),
    ),
    leave_out=_leave_out_of_literature,
    notes=(
        "The corpus's own split. Characters are tokens; Coreference lines, most of them across sentences, are not read.",
        "Annotated inconsistently: where articles were annotated twice, relation F1 between the two is 0.18, and 0.48 on pairs "
        "of entities that both have: take about 0.5 for the ceiling.",
    ),
)

CONLL04 = Corpus(
    name="conll04",
    title="CoNLL04",
    language="en",
    domain="news",
    licence="none stated",
    source="YoumiMa/TablERT-CNN 055333c, data/datasets/conll04",
    homepage=f"{_GITHUB}YoumiMa/TablERT-CNN",
    download=_archive("YoumiMa/TablERT-CNN", "055333c"),
    citation="Roth and Yih, CoNLL 2004 (W04-2401)",
    direction="directed",
    raw=(
        Raw(path="conll04_train.json", sha256="5f9e9d97c954a21da8929618cf9f1e2b408ff5f1a9936425e5785cbd3c54a380"),
        Raw(path="conll04_dev.json", sha256="f35e81e68da81914286f37f9d66230e6be79f5ff82466438135a2c1873b4f660"),
        Raw(path="conll04_test.json", sha256="6e5788026281f1678ab0d0dda64a304241574b5e7b806b57fe3e796a1acf95b9"),
    ),
    readings=tuple(Reading(raw=f"conll04_{split}.json", reader="spert", split=split) for split in SPLITS),
    notes=("The split of SpERT. 22 test sentences also stand in the training part.",),
)


def _ddi_split(_: int, document: Document) -> str:
    return DEV if _sha1_modulo_10(document.id) == 0 else TRAIN


# Discontinuous names are kept as one span; otherwise 25 interactions could never be found.
_DDI_OPTIONS = {"discontinuous": "cover"}

DDI2013 = Corpus(
    name="ddi2013",
    title="DDI-2013: drug-drug interactions",
    language="en",
    domain="pharmacology",
    licence="CC BY-NC 4.0",
    source="isegura/DDICorpus 819b0fa, DDICorpus-2013.zip",
    homepage=f"{_GITHUB}isegura/DDICorpus",
    download=f"{_GITHUB}isegura/DDICorpus/raw/819b0fa/DDICorpus-2013.zip",
    citation="Herrero-Zazo et al., Journal of Biomedical Informatics 46 (2013)",
    direction="undirected",
    raw=(
        Raw(path="Train", suffixes=(".xml",), sha256="4792c426bce4a74f7866eae7d23266d42e4cc37a1141d1e72b23643711f7b521"),
        Raw(path="Test", suffixes=(".xml",), sha256="50bae1cc8d9e575b9ae22987680c7c066d53ae7a0302c573c3ae63445bef8c99"),
    ),
    readings=(
        Reading(raw="Train", reader="ddi2013", split=_ddi_split, options=_DDI_OPTIONS),
        Reading(raw="Test", reader="ddi2013", split=TEST, options=_DDI_OPTIONS),
    ),
    notes=(
        "Brings no development part: it is the training documents whose id has a SHA-1 that is 0 modulo 10.",
        "Interactions have no direction; all are stored from left to right. 37 test sentences also stand in the training part.",
    ),
)


def _pgx_split(_: int, document: Document) -> str:
    abstract = document.id.partition("_")[0]  # a document is one sentence of an abstract
    return {8: DEV, 9: TEST}.get(_sha1_modulo_10(abstract), TRAIN)


PGXCORPUS = Corpus(
    name="pgxcorpus",
    title="PGxCorpus: pharmacogenomics",
    language="en",
    domain="pharmacogenomics",
    licence="CC BY-NC 4.0",
    source="practikpharma/PGxCorpus 067513c, PGxCorpus.tar",
    homepage=f"{_GITHUB}practikpharma/PGxCorpus",
    citation="Legrand et al., Scientific Data 7 (2020)",
    direction="directed",
    raw=(Raw(path="raw", suffixes=_BRAT, sha256="4687730db0a69975ffe12992f31415d04066984b13172dbbc3925f64915cd835"),),
    readings=(Reading(raw="raw", reader="brat", split=_pgx_split, options={"lines": "sentences"}),),
    notes=(
        "Brings no split. Abstracts are split by SHA-1 of their PubMed id modulo 10: 8 is dev, 9 is test.",
        "Comes as a .tar file inside the repository: unpack it, and prepare with --from DIR. 407 discontinuous entities are left out, and "
        "435 of 2,871 relations with them.",
    ),
)

SCICN = Corpus(
    name="scicn",
    title="SciCN, split anew",
    language="zh",
    domain="science abstracts",
    licence="none stated",
    source="yangjingla/SciCN 880d8f0, of which the parts with relations were split anew into three files of native JSON lines",
    homepage=f"{_GITHUB}yangjingla/SciCN",
    citation="yangjingla/SciCN (repository)",
    direction="directed",
    raw=(
        Raw(path="train.jsonl", sha256="da46d2049ed3feb2181cc42a25215172a75394b933ddb25ebb8dd103f4e61d66"),
        Raw(path="dev.jsonl", sha256="014f452b9f9b61ddeb45477b34bcce7c4b8456cbd34753aab388aa3aafd5127b"),
        Raw(path="test.jsonl", sha256="ed5a3a6e131fc7b1edca58adc4650ad7168cc7e2f5d5c55f5ce0690319e87d45"),
    ),
    readings=tuple(Reading(raw=f"{split}.jsonl", reader=scicn.READER, split=split) for split in SPLITS),
    notes=("Only the three native files can be prepared (--from DIR): the public ones are split otherwise.",),
)

# Tokens and sentences as they were when the published results were made, with the rules of version 0.2.
_SCIENCEIE_OPTIONS = {"marks": "apart", "abbreviations": "etc+-sec+°c"}

SCIENCEIE = Corpus(
    name="scienceie",
    title="ScienceIE (SemEval-2017 Task 10)",
    language="en",
    domain="science",
    licence="ScienceDirect open access",
    source="OC-ScienceIE/scienceie17 49c5cc2, data",
    homepage=f"{_GITHUB}OC-ScienceIE/scienceie17",
    download=_archive("OC-ScienceIE/scienceie17", "49c5cc2"),
    citation="Augenstein et al., SemEval 2017 (S17-2091)",
    direction="directed",
    raw=(
        Raw(path="train", suffixes=_BRAT, sha256="337638bb8a4fd17e11c7c27ace1139061157ad7a5d94d1ff97d948db9341db6e"),
        Raw(path="dev", suffixes=_BRAT, sha256="597b1d1be8f844e857d6b74a49089bb712cc987fcd733346705cc1d748321ad6"),
        Raw(path="test", suffixes=_BRAT, sha256="186085fbf74750b237fcdfd988adc21da6c3cb40b309f6eb7900fbae7a98d8e0"),
    ),
    readings=tuple(Reading(raw=split, reader="brat", split=split, options=_SCIENCEIE_OPTIONS) for split in SPLITS),
    notes=(
        "The task's own split; sentences are found by relsift. Synonym-of is symmetric and stored from left to right.",
        "Seven articles stand in two parts, annotated differently.",
    ),
)

SCIERC = Corpus(
    name="scierc",
    title="SciERC",
    language="en",
    domain="AI abstracts",
    licence="none stated",
    source="JerryHao2001/thesis-tanl 79612fe, the files with coreference, which keep abstracts together",
    homepage=f"{_GITHUB}JerryHao2001/thesis-tanl",
    download=_archive("JerryHao2001/thesis-tanl", "79612fe"),
    citation="Luan et al., EMNLP 2018 (D18-1360)",
    direction="directed",
    raw=(
        Raw(path="coref_train.json", sha256="a1e656c4de5d5552c1fba0e5416ad10541e711e0723cec71ffa11179aa33060d"),
        Raw(path="coref_dev.json", sha256="56e16fa779f8315ad49826223c206803022f9a2148f8dc14ba8436748cca0a8a"),
        Raw(path="coref_test.json", sha256="82aaf0bf709c4da8bcaf28463e18fc6671eb7fe739f7312226dc18f3efff9989"),
    ),
    readings=tuple(Reading(raw=f"coref_{split}.json", reader="dygie", split=split) for split in SPLITS),
    notes=("The corpus's own split. COMPARE and CONJUNCTION are symmetric and stored in one direction.",),
)

_SEMEVAL_TRAINING = 7200  # sentences, in file order; the other 800 are the development part
_SEMEVAL_TRAIN_FILE = "SemEval2010_task8_training_TRAIN_FILE.TXT"
_SEMEVAL_TEST_FILE = "SemEval2010_task8_testing_keys_TEST_FILE_FULL.TXT"

SEMEVAL2010 = Corpus(
    name="semeval2010",
    title="SemEval-2010 Task 8",
    language="en",
    domain="general",
    licence="CC BY 3.0",
    source="roomylee/cnn-relation-extraction 8811020, SemEval2010_task8_all_data",
    homepage=f"{_GITHUB}roomylee/cnn-relation-extraction",
    download=_archive("roomylee/cnn-relation-extraction", "88110201473f18d0d4eb36108b159c0c4374591b"),
    citation="Hendrickx et al., SemEval 2010 (S10-1006)",
    direction="directed",
    raw=(
        Raw(path=_SEMEVAL_TRAIN_FILE, sha256="c22fee88957d245a4b1650c6743eb8c594dcdeffc6a2aa1fa6cced059eebf0e3"),
        Raw(path=_SEMEVAL_TEST_FILE, sha256="9ec7a35d5582b4da0fb72aa55a6121bc414ade573459e1dcf68bf189f8c18ae8"),
    ),
    readings=(
        Reading(
            raw=_SEMEVAL_TRAIN_FILE,
            reader="semeval2010",
            split=lambda position, _: TRAIN if position < _SEMEVAL_TRAINING else DEV,
        ),
        Reading(raw=_SEMEVAL_TEST_FILE, reader="semeval2010", split=TEST),
    ),
    notes=("Brings no development part: it is the last 800 sentences of the training file. Other is stored as no relation.",),
)
