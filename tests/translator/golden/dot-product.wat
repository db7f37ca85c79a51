;; again:
;;   mv a0, s0
;;   addi a1, a0, 64
;; loop:
;;   fld fa0, 0(a0)
;;   fld fa1, 8(a0)
;;   fmadd.d fa2, fa0, fa1, fa2
;;   fadd.d fa3, fa3, fa0
;;   addi a0, a0, 16
;;   bltu a0, a1, loop
;;   j again
  (func (;23;) (type 0) (param i64 i32 i32 i32) (result i32)
    (local i64 i32 i32 i32 i32 i64 i64 f64 i64 i32 i64 f32 i32 i32 i32 i32 i32 i64 i64 i64 f64 f64 f64 f64)
    block  ;; label = @1
      block  ;; label = @2
        block  ;; label = @3
          block  ;; label = @4
            block  ;; label = @5
              block  ;; label = @6
                block  ;; label = @7
                  block  ;; label = @8
                    block  ;; label = @9
                      block  ;; label = @10
                        block  ;; label = @11
                          block  ;; label = @12
                            block  ;; label = @13
                              block  ;; label = @14
                                block  ;; label = @15
                                  i32.const 0
                                  i32.load offset=328576
                                  i32.const 24576
                                  i32.and
                                  i32.const 24576
                                  i32.eq
                                  i32.const 0
                                  i32.load offset=328460
                                  i32.const 5
                                  i32.lt_u
                                  i32.and
                                  local.tee 8
                                  local.get 8
                                  i32.const 0
                                  i32.load offset=328460
                                  i32.eqz
                                  i32.and
                                  i32.const 0
                                  i32.load offset=328456
                                  i32.and
                                  i32.const 1
                                  i32.and
                                  i32.add
                                  local.set 8
                                  local.get 8
                                  i32.const 2
                                  i32.ne
                                  if  ;; label = @16
                                    local.get 0
                                    local.get 1
                                    local.get 2
                                    local.get 3
                                    call 24
                                    return
                                  end
                                  local.get 0
                                  i64.const 8
                                  i64.add
                                  local.set 9
                                  i32.const 6
                                  local.set 13
                                  i32.const 0
                                  i32.load offset=328952
                                  i32.const 1572864
                                  i32.ne
                                  br_if 13 (;@2;)
                                  i32.const 0
                                  i64.load offset=327744
                                  local.set 21
                                  i32.const 0
                                  i64.load offset=327760
                                  local.set 22
                                  i32.const 0
                                  i64.load offset=327768
                                  local.set 23
                                  i32.const 0
                                  f64.load offset=328272
                                  local.set 24
                                  i32.const 0
                                  f64.load offset=328280
                                  local.set 25
                                  i32.const 0
                                  f64.load offset=328288
                                  local.set 26
                                  i32.const 0
                                  f64.load offset=328296
                                  local.set 27
                                  loop  ;; label = @16
                                    block  ;; label = @17
                                      block  ;; label = @18
                                        i32.const 8
                                        local.set 6
                                        i64.const 0
                                        local.set 14
                                        local.get 2
                                        i32.const 0
                                        i32.le_s
                                        br_if 6 (;@12;)
                                        i32.const 83886088
                                        local.set 6
                                        i64.const 0
                                        local.set 14
                                        local.get 22
                                        local.tee 4
                                        i32.wrap_i64
                                        i32.const 8
                                        i32.shr_u
                                        i32.const 131056
                                        i32.and
                                        local.tee 5
                                        i64.load offset=1572864
                                        local.tee 14
                                        local.get 5
                                        i32.load offset=1572872
                                        local.set 5
                                        local.get 4
                                        i64.const 15
                                        i64.add
                                        i64.const -4096
                                        i64.and
                                        i64.ne
                                        br_if 6 (;@12;)
                                        local.get 4
                                        i32.wrap_i64
                                        local.get 5
                                        i32.add
                                        local.set 17
                                        local.get 17
                                        f64.load align=1
                                        local.set 24
                                        local.get 17
                                        f64.load offset=8 align=1
                                        local.set 25
                                        i32.const 8208
                                        local.set 6
                                        i64.const 0
                                        local.set 14
                                        local.get 24
                                        i64.reinterpret_f64
                                        local.get 25
                                        i64.reinterpret_f64
                                        local.get 26
                                        i64.reinterpret_f64
                                        i32.const 0
                                        i32.load offset=328460
                                        call 15
                                        f64.reinterpret_i64
                                        local.set 26
                                        i32.const 12308
                                        local.set 6
                                        i64.const 0
                                        local.set 14
                                        local.get 27
                                        local.get 24
                                        f64.add
                                        local.set 11
                                        local.get 11
                                        i64.reinterpret_f64
                                        i64.const 1
                                        i64.shl
                                        i64.const 53
                                        i64.shr_u
                                        i64.const 2047
                                        i64.eq
                                        br_if 6 (;@12;)
                                        local.get 11
                                        local.set 27
                                        local.get 22
                                        i64.const 16
                                        i64.add
                                        local.set 22
                                        local.get 2
                                        i32.const 6
                                        i32.sub
                                        local.set 2
                                        local.get 22
                                        local.get 23
                                        i64.lt_u
                                        br_if 2 (;@16;)
                                        br 0 (;@18;)
                                      end
                                      local.get 2
                                      i32.const 1
                                      i32.sub
                                      local.set 2
                                      br 0 (;@17;)
                                    end
                                    local.get 21
                                    local.set 22
                                    local.get 22
                                    i64.const 64
                                    i64.add
                                    local.set 23
                                    local.get 2
                                    i32.const 2
                                    i32.sub
                                    local.set 2
                                    br 0 (;@16;)
                                  end
                                  unreachable
                                end
                                i32.const 0
                                local.get 14
                                i64.store offset=328976
                                local.get 2
                                local.get 6
                                i32.const 12
                                i32.shr_u
                                i32.const 4095
                                i32.and
                                i32.sub
                                local.set 2
                                local.get 0
                                local.get 6
                                i32.const 4095
                                i32.and
                                i64.extend_i32_u
                                i64.add
                                local.set 9
                                local.get 6
                                i32.const 24
                                i32.shr_u
                                local.set 13
                                br 12 (;@2;)
                              end
                              i32.const 0
                              local.get 14
                              i64.store offset=328976
                              local.get 2
                              local.get 6
                              i32.const 12
                              i32.shr_u
                              i32.const 4095
                              i32.and
                              i32.sub
                              local.set 2
                              local.get 0
                              local.get 6
                              i32.const 4095
                              i32.and
                              i64.extend_i32_u
                              i64.add
                              local.set 9
                              local.get 6
                              i32.const 24
                              i32.shr_u
                              local.set 13
                              br 11 (;@2;)
                            end
                            i32.const 0
                            local.get 14
                            i64.store offset=328976
                            local.get 2
                            local.get 6
                            i32.const 12
                            i32.shr_u
                            i32.const 4095
                            i32.and
                            i32.sub
                            local.set 2
                            local.get 0
                            local.get 6
                            i32.const 4095
                            i32.and
                            i64.extend_i32_u
                            i64.add
                            local.set 9
                            local.get 6
                            i32.const 24
                            i32.shr_u
                            local.set 13
                            br 10 (;@2;)
                          end
                          i32.const 0
                          local.get 14
                          i64.store offset=328976
                          local.get 2
                          local.get 6
                          i32.const 12
                          i32.shr_u
                          i32.const 4095
                          i32.and
                          i32.sub
                          local.set 2
                          local.get 0
                          local.get 6
                          i32.const 4095
                          i32.and
                          i64.extend_i32_u
                          i64.add
                          local.set 9
                          local.get 6
                          i32.const 24
                          i32.shr_u
                          local.set 13
                          i32.const 0
                          local.get 22
                          i64.store offset=327760
                          i32.const 0
                          local.get 23
                          i64.store offset=327768
                          i32.const 0
                          local.get 24
                          f64.store offset=328272
                          i32.const 0
                          local.get 25
                          f64.store offset=328280
                          i32.const 0
                          local.get 26
                          f64.store offset=328288
                          i32.const 0
                          local.get 27
                          f64.store offset=328296
                          br 9 (;@2;)
                        end
                        br 8 (;@2;)
                      end
                      br 7 (;@2;)
                    end
                    br 6 (;@2;)
                  end
                  i32.const 0
                  local.get 22
                  i64.store offset=327760
                  i32.const 0
                  local.get 23
                  i64.store offset=327768
                  i32.const 0
                  local.get 24
                  f64.store offset=328272
                  i32.const 0
                  local.get 25
                  f64.store offset=328280
                  i32.const 0
                  local.get 26
                  f64.store offset=328288
                  i32.const 0
                  local.get 27
                  f64.store offset=328296
                  br 5 (;@2;)
                end
                br 3 (;@3;)
              end
              br 2 (;@3;)
            end
            br 1 (;@3;)
          end
          i32.const 0
          local.get 22
          i64.store offset=327760
          i32.const 0
          local.get 23
          i64.store offset=327768
          i32.const 0
          local.get 24
          f64.store offset=328272
          i32.const 0
          local.get 25
          f64.store offset=328280
          i32.const 0
          local.get 26
          f64.store offset=328288
          i32.const 0
          local.get 27
          f64.store offset=328296
          br 0 (;@3;)
        end
        local.get 9
        i64.const 8
        i64.shr_u
        i32.wrap_i64
        i32.const 131056
        i32.and
        i32.const 0
        i32.load offset=328956
        i32.add
        local.tee 5
        i64.load
        local.get 5
        i32.load offset=8
        local.set 5
        local.get 9
        i64.const -4096
        i64.and
        local.tee 4
        i64.ne
        br_if 0 (;@2;)
        local.get 5
        local.get 9
        i32.wrap_i64
        i32.const 4094
        i32.and
        i32.const 3
        i32.shl
        i32.add
        i32.load16_u
        local.tee 6
        i32.const 32768
        i32.lt_u
        br_if 0 (;@2;)
        local.get 2
        i32.const 0
        i32.le_s
        br_if 0 (;@2;)
        local.get 4
        local.get 5
        local.get 2
        local.get 3
        local.get 6
        i32.const -32752
        i32.add
        return_call_indirect (type 0)
      end
      i32.const 0
      local.get 13
      i32.store offset=328968
      i32.const 0
      local.get 9
      i64.store offset=327944
    end
    local.get 2)
  (func (;24;) (type 0) (param i64 i32 i32 i32) (result i32)
    (local i64 i32 i32 i32 i32 i64 i64 f64 i64 i32 i64 f32 i32 i32 i32 i32 i32 i64 i64 i64 f64 f64 f64 f64)
    block  ;; label = @1
      block  ;; label = @2
        block  ;; label = @3
          block  ;; label = @4
            block  ;; label = @5
              block  ;; label = @6
                block  ;; label = @7
                  block  ;; label = @8
                    block  ;; label = @9
                      block  ;; label = @10
                        block  ;; label = @11
                          block  ;; label = @12
                            block  ;; label = @13
                              block  ;; label = @14
                                block  ;; label = @15
                                  i32.const 0
                                  i32.load offset=328576
                                  i32.const 24576
                                  i32.and
                                  i32.const 24576
                                  i32.eq
                                  i32.const 0
                                  i32.load offset=328460
                                  i32.const 5
                                  i32.lt_u
                                  i32.and
                                  local.tee 8
                                  local.get 8
                                  i32.const 0
                                  i32.load offset=328460
                                  i32.eqz
                                  i32.and
                                  i32.const 0
                                  i32.load offset=328456
                                  i32.and
                                  i32.const 1
                                  i32.and
                                  i32.add
                                  local.set 8
                                  local.get 0
                                  i64.const 8
                                  i64.add
                                  local.set 9
                                  i32.const 6
                                  local.set 13
                                  i32.const 0
                                  i32.load offset=328952
                                  i32.const 1572864
                                  i32.ne
                                  br_if 13 (;@2;)
                                  i32.const 0
                                  i64.load offset=327744
                                  local.set 21
                                  i32.const 0
                                  i64.load offset=327760
                                  local.set 22
                                  i32.const 0
                                  i64.load offset=327768
                                  local.set 23
                                  i32.const 0
                                  f64.load offset=328272
                                  local.set 24
                                  i32.const 0
                                  f64.load offset=328280
                                  local.set 25
                                  i32.const 0
                                  f64.load offset=328288
                                  local.set 26
                                  i32.const 0
                                  f64.load offset=328296
                                  local.set 27
                                  loop  ;; label = @16
                                    block  ;; label = @17
                                      block  ;; label = @18
                                        i32.const 8
                                        local.set 6
                                        i64.const 0
                                        local.set 14
                                        local.get 2
                                        i32.const 0
                                        i32.le_s
                                        br_if 6 (;@12;)
                                        i32.const 8
                                        local.set 6
                                        i64.const 0
                                        local.set 14
                                        local.get 8
                                        i32.eqz
                                        br_if 6 (;@12;)
                                        i32.const 83886088
                                        local.set 6
                                        i64.const 0
                                        local.set 14
                                        local.get 22
                                        local.tee 4
                                        i32.wrap_i64
                                        i32.const 8
                                        i32.shr_u
                                        i32.const 131056
                                        i32.and
                                        local.tee 5
                                        i64.load offset=1572864
                                        local.tee 14
                                        local.get 5
                                        i32.load offset=1572872
                                        local.set 5
                                        local.get 4
                                        i64.const 15
                                        i64.add
                                        i64.const -4096
                                        i64.and
                                        i64.ne
                                        br_if 6 (;@12;)
                                        local.get 4
                                        i32.wrap_i64
                                        local.get 5
                                        i32.add
                                        local.set 17
                                        local.get 17
                                        f64.load align=1
                                        local.set 24
                                        i32.const 4108
                                        local.set 6
                                        i64.const 0
                                        local.set 14
                                        local.get 8
                                        i32.eqz
                                        br_if 6 (;@12;)
                                        local.get 17
                                        f64.load offset=8 align=1
                                        local.set 25
                                        i32.const 8208
                                        local.set 6
                                        i64.const 0
                                        local.set 14
                                        local.get 8
                                        i32.eqz
                                        br_if 6 (;@12;)
                                        local.get 24
                                        i64.reinterpret_f64
                                        local.get 25
                                        i64.reinterpret_f64
                                        local.get 26
                                        i64.reinterpret_f64
                                        i32.const 0
                                        i32.load offset=328460
                                        call 15
                                        f64.reinterpret_i64
                                        local.set 26
                                        i32.const 12308
                                        local.set 6
                                        i64.const 0
                                        local.set 14
                                        local.get 8
                                        i32.eqz
                                        br_if 6 (;@12;)
                                        block (result f64)  ;; label = @19
                                          block  ;; label = @20
                                            local.get 8
                                            i32.const 2
                                            i32.ne
                                            br_if 0 (;@20;)
                                            local.get 27
                                            local.get 24
                                            f64.add
                                            local.tee 11
                                            local.get 11
                                            i64.reinterpret_f64
                                            i64.const 52
                                            i64.shr_u
                                            i32.wrap_i64
                                            i32.const 2047
                                            i32.and
                                            i32.const 2047
                                            i32.ne
                                            br_if 1 (;@19;)
                                            drop
                                          end
                                          local.get 27
                                          i64.reinterpret_f64
                                          local.get 24
                                          i64.reinterpret_f64
                                          i32.const 0
                                          i32.load offset=328460
                                          call 11
                                          f64.reinterpret_i64
                                        end
                                        local.set 27
                                        local.get 22
                                        i64.const 16
                                        i64.add
                                        local.set 22
                                        local.get 2
                                        i32.const 6
                                        i32.sub
                                        local.set 2
                                        local.get 22
                                        local.get 23
                                        i64.lt_u
                                        br_if 2 (;@16;)
                                        br 0 (;@18;)
                                      end
                                      local.get 2
                                      i32.const 1
                                      i32.sub
                                      local.set 2
                                      br 0 (;@17;)
                                    end
                                    local.get 21
                                    local.set 22
                                    local.get 22
                                    i64.const 64
                                    i64.add
                                    local.set 23
                                    local.get 2
                                    i32.const 2
                                    i32.sub
                                    local.set 2
                                    br 0 (;@16;)
                                  end
                                  unreachable
                                end
                                i32.const 0
                                local.get 14
                                i64.store offset=328976
                                local.get 2
                                local.get 6
                                i32.const 12
                                i32.shr_u
                                i32.const 4095
                                i32.and
                                i32.sub
                                local.set 2
                                local.get 0
                                local.get 6
                                i32.const 4095
                                i32.and
                                i64.extend_i32_u
                                i64.add
                                local.set 9
                                local.get 6
                                i32.const 24
                                i32.shr_u
                                local.set 13
                                br 12 (;@2;)
                              end
                              i32.const 0
                              local.get 14
                              i64.store offset=328976
                              local.get 2
                              local.get 6
                              i32.const 12
                              i32.shr_u
                              i32.const 4095
                              i32.and
                              i32.sub
                              local.set 2
                              local.get 0
                              local.get 6
                              i32.const 4095
                              i32.and
                              i64.extend_i32_u
                              i64.add
                              local.set 9
                              local.get 6
                              i32.const 24
                              i32.shr_u
                              local.set 13
                              br 11 (;@2;)
                            end
                            i32.const 0
                            local.get 14
                            i64.store offset=328976
                            local.get 2
                            local.get 6
                            i32.const 12
                            i32.shr_u
                            i32.const 4095
                            i32.and
                            i32.sub
                            local.set 2
                            local.get 0
                            local.get 6
                            i32.const 4095
                            i32.and
                            i64.extend_i32_u
                            i64.add
                            local.set 9
                            local.get 6
                            i32.const 24
                            i32.shr_u
                            local.set 13
                            br 10 (;@2;)
                          end
                          i32.const 0
                          local.get 14
                          i64.store offset=328976
                          local.get 2
                          local.get 6
                          i32.const 12
                          i32.shr_u
                          i32.const 4095
                          i32.and
                          i32.sub
                          local.set 2
                          local.get 0
                          local.get 6
                          i32.const 4095
                          i32.and
                          i64.extend_i32_u
                          i64.add
                          local.set 9
                          local.get 6
                          i32.const 24
                          i32.shr_u
                          local.set 13
                          i32.const 0
                          local.get 22
                          i64.store offset=327760
                          i32.const 0
                          local.get 23
                          i64.store offset=327768
                          i32.const 0
                          local.get 24
                          f64.store offset=328272
                          i32.const 0
                          local.get 25
                          f64.store offset=328280
                          i32.const 0
                          local.get 26
                          f64.store offset=328288
                          i32.const 0
                          local.get 27
                          f64.store offset=328296
                          br 9 (;@2;)
                        end
                        br 8 (;@2;)
                      end
                      br 7 (;@2;)
                    end
                    br 6 (;@2;)
                  end
                  i32.const 0
                  local.get 22
                  i64.store offset=327760
                  i32.const 0
                  local.get 23
                  i64.store offset=327768
                  i32.const 0
                  local.get 24
                  f64.store offset=328272
                  i32.const 0
                  local.get 25
                  f64.store offset=328280
                  i32.const 0
                  local.get 26
                  f64.store offset=328288
                  i32.const 0
                  local.get 27
                  f64.store offset=328296
                  br 5 (;@2;)
                end
                br 3 (;@3;)
              end
              br 2 (;@3;)
            end
            br 1 (;@3;)
          end
          i32.const 0
          local.get 22
          i64.store offset=327760
          i32.const 0
          local.get 23
          i64.store offset=327768
          i32.const 0
          local.get 24
          f64.store offset=328272
          i32.const 0
          local.get 25
          f64.store offset=328280
          i32.const 0
          local.get 26
          f64.store offset=328288
          i32.const 0
          local.get 27
          f64.store offset=328296
          br 0 (;@3;)
        end
        local.get 9
        i64.const 8
        i64.shr_u
        i32.wrap_i64
        i32.const 131056
        i32.and
        i32.const 0
        i32.load offset=328956
        i32.add
        local.tee 5
        i64.load
        local.get 5
        i32.load offset=8
        local.set 5
        local.get 9
        i64.const -4096
        i64.and
        local.tee 4
        i64.ne
        br_if 0 (;@2;)
        local.get 5
        local.get 9
        i32.wrap_i64
        i32.const 4094
        i32.and
        i32.const 3
        i32.shl
        i32.add
        i32.load16_u
        local.tee 6
        i32.const 32768
        i32.lt_u
        br_if 0 (;@2;)
        local.get 2
        i32.const 0
        i32.le_s
        br_if 0 (;@2;)
        local.get 4
        local.get 5
        local.get 2
        local.get 3
        local.get 6
        i32.const -32752
        i32.add
        return_call_indirect (type 0)
      end
      i32.const 0
      local.get 13
      i32.store offset=328968
      i32.const 0
      local.get 9
      i64.store offset=327944
    end
    local.get 2)
