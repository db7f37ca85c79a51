;; again:
;;   li a0, 5
;; loop:
;;   addi a0, a0, -1
;;   add a1, a1, a0
;;   bnez a0, loop
;;   j again
  (func (;23;) (type 0) (param i64 i32 i32 i32) (result i32)
    (local i64 i32 i32 i32 i32 i64 i64 f64 i64 i32 i64 f32 i32 i32 i32 i32 i32 i64 i64)
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
                                  i64.load offset=327760
                                  local.set 21
                                  i32.const 0
                                  i64.load offset=327768
                                  local.set 22
                                  loop  ;; label = @16
                                    block  ;; label = @17
                                      block  ;; label = @18
                                        i32.const 4
                                        local.set 6
                                        i64.const 0
                                        local.set 14
                                        local.get 2
                                        i32.const 0
                                        i32.le_s
                                        br_if 6 (;@12;)
                                        local.get 21
                                        i64.const -1
                                        i64.add
                                        local.set 21
                                        local.get 22
                                        local.get 21
                                        i64.add
                                        local.set 22
                                        local.get 2
                                        i32.const 3
                                        i32.sub
                                        local.set 2
                                        local.get 21
                                        i64.eqz
                                        i32.eqz
                                        br_if 2 (;@16;)
                                        br 0 (;@18;)
                                      end
                                      local.get 2
                                      i32.const 1
                                      i32.sub
                                      local.set 2
                                      br 0 (;@17;)
                                    end
                                    i32.const 5
                                    i64.extend_i32_s
                                    local.set 21
                                    local.get 2
                                    i32.const 1
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
                          local.get 21
                          i64.store offset=327760
                          i32.const 0
                          local.get 22
                          i64.store offset=327768
                          br 9 (;@2;)
                        end
                        br 8 (;@2;)
                      end
                      br 7 (;@2;)
                    end
                    br 6 (;@2;)
                  end
                  i32.const 0
                  local.get 21
                  i64.store offset=327760
                  i32.const 0
                  local.get 22
                  i64.store offset=327768
                  br 5 (;@2;)
                end
                br 3 (;@3;)
              end
              br 2 (;@3;)
            end
            br 1 (;@3;)
          end
          i32.const 0
          local.get 21
          i64.store offset=327760
          i32.const 0
          local.get 22
          i64.store offset=327768
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
