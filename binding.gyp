{
  "targets": [
    {
      "target_name": "layerwise",
      "sources": ["native/addon.cc"],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=8", "NAPI_CPP_EXCEPTIONS"],
      "cflags!": ["-fno-exceptions", "-O2"],
      "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17"],
      "cflags_cc": ["-std=c++17", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math",
                    "-fvisibility=hidden", "-Wall", "-Wextra", "<!@(pkg-config --cflags openblas lapacke)"],
      "libraries": ["<!@(pkg-config --libs openblas lapacke)"]
    }
  ]
}
