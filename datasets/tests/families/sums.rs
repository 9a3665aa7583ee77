//! The checksums of every family at n = 8 with seed 0: the matrix, and each right-hand side over all cells of the grid.
//! A family that changes on purpose changes its rows here, and the commit says why.

pub const AT_EIGHT: &str = "
box 3-D frame 0: matrix 290b576d7c921fde noise 4497991dd473a5a3 smooth 8e1903a948b19aed manufactured ff2c6ce720738a46
box 2-D frame 0: matrix 5eee4a464eaca4ba noise 05002b130bf78fd2 smooth 44cabe9227c09e33 manufactured d9673bc4e743368b
neumann 3-D frame 0: matrix a193c147c623fc5e noise b9561dae19bf5bac smooth c1411d728e07caea manufactured 9b956b8abc6ff6fc
neumann 2-D frame 0: matrix f8453a8571c4d63a noise 58c2c7bf25c3b1f3 smooth 23b01431b7830b32 manufactured 6812725fd7e2b577
smoke 3-D frame 0: matrix 4cc55c174802bc7e flow 8765b4ec1b34b77e noise 586304ebf8efef5e smooth 5c66a33fe3c71038
smoke 3-D frame 5: matrix 8418b5ffeddea096 flow 666459ec9d21f50d noise 3e1d485b4c47e601 smooth 53df5233feea0dcc
smoke 2-D frame 0: matrix 75d5098e3c8b7f82 flow 6affa504d8908727 noise 2cfd27f0e967ccda smooth 5b8b508ebd8280d7
smoke 2-D frame 5: matrix 846dfe9926474331 flow bdac4d9dba21cb4f noise 6d503186d56a6b02 smooth 1ce5be469dd6cb17
gyroid 3-D frame 0: matrix 9486c737b8952fa7 flow db8a528517164ada noise 70b51570f7d70cd6 smooth 38788c6f17fe751f
dam 3-D frame 0: matrix bf03555c6c1cf731 flow 73283bda13a537a1 noise ee9e9bc22f13a877 smooth eb753c5dac6d86d2
dam 3-D frame 5: matrix a22b0bc4c2931bc6 flow 43348529bbd9d253 noise a7959cc05f144fbc smooth 7a7e821bde24c9b3
dam 2-D frame 0: matrix 04ed96399cea8f3e flow 63ae07a7b8a2176c noise 14879ed568a42298 smooth f8c61edfeeec3348
dam 2-D frame 5: matrix 54f07a944b3dcecb flow 4a52f069d0acb69f noise ba535968c0eafb51 smooth d051c1609fa8ae39
spheres 3-D frame 0: matrix 8747e007807231c2 noise 9efda384c105ea42 smooth b32891309636e6dc flow b344bb722c1b3055
spheres 2-D frame 0: matrix 6be31677d05ffe38 noise c61a83e758b49816 smooth cbcca9893b267bf8 flow b6da941d47cc999a
channels 2-D frame 0: matrix fc2661d15f4e69cf noise 05002b130bf78fd2 smooth 44cabe9227c09e33
channels 3-D frame 0: matrix 8216287b822da220 noise 4497991dd473a5a3 smooth 8e1903a948b19aed
aniso 3-D frame 0: matrix fd0e290f6af92d0e noise 4497991dd473a5a3 smooth 8e1903a948b19aed manufactured f4bb43be7089fff4
aniso 2-D frame 0: matrix cc2e5f2215c646fa noise 05002b130bf78fd2 smooth 44cabe9227c09e33 manufactured adc17a06a9c76f42
";
