#!/bin/sh
# Builds the binding to GStreamer into the folder $1: ./hypecast does so at set-up, deploy/Dockerfile for the image. Run in the repository's
# root, with g++, pkg-config and GStreamer's headers there.
set -eu
out=$1
rm -rf "$out"
mkdir -p "$out/plugins"
# shellcheck disable=SC2046
g++ -std=c++17 -O3 -Wall -shared -fPIC -DNAPI_VERSION=8 -DNAPI_CPP_EXCEPTIONS -fexceptions \
  -I node_modules/node-api-headers/include -I node_modules/node-addon-api streamproc/native/appsink.cc \
  -o "$out/appsink.node" $(pkg-config --cflags --libs gstreamer-app-1.0 gstreamer-video-1.0 gstreamer-audio-1.0)
# The plugins that workers decode with and no others.
plugins=$(pkg-config --variable=pluginsdir gstreamer-1.0)
for name in app coreelements videoconvertscale videoparsersbad audioparsers libav audioconvert audioresample; do
  ln -s "$plugins/libgst$name.so" "$out/plugins/"
done
